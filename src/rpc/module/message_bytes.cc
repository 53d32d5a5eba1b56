#include "rpc/module/message_bytes.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpcpp/support/byte_buffer.h>

#include <vector>

#include "rpc/transport.h"

namespace slipway::rpc {
namespace {

constexpr size_t kCopied = 16 << 10;
constexpr size_t kKept = 1 << 20;

/// The library tells only its friends whether a message came compressed. It is asked to leave compression on, since it
/// would inflate without any bound.
template <auto Member>
struct Opened {
  friend grpc_byte_buffer* Inside(const grpc::ByteBuffer& buffer) { return buffer.*Member; }
};
grpc_byte_buffer* Inside(const grpc::ByteBuffer& buffer);
template struct Opened<&grpc::ByteBuffer::buffer_>;

std::string_view CodingOf(const grpc::ByteBuffer& buffer) {
  const grpc_byte_buffer* inside = buffer.Valid() ? Inside(buffer) : nullptr;
  if (inside == nullptr || inside->type != GRPC_BB_RAW) return {};
  if (inside->data.raw.compression == GRPC_COMPRESS_GZIP) return "gzip";
  return inside->data.raw.compression == GRPC_COMPRESS_DEFLATE ? "deflate" : "";
}

std::string_view ViewOf(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace

struct MessageBytes::Slices {
  std::vector<grpc::Slice> list;
};

MessageBytes::MessageBytes() : slices_(std::make_unique<Slices>()) {}
MessageBytes::~MessageBytes() = default;

bool MessageBytes::Take(grpc::ByteBuffer& buffer, Service& service, std::string& error) {
  Release();
  auto& slices = slices_->list;
  const std::string_view coding = CodingOf(buffer);
  if (buffer.Valid()) {
    // Dump() of a compressed message gives its bytes as they came.
    if (!buffer.Dump(&slices).ok()) slices.clear();
    buffer.Clear();
  }
  if (slices.size() == 1) {
    view_ = ViewOf(slices[0]);
  } else if (slices.size() > 1) {
    for (const grpc::Slice& slice : slices) whole_ += ViewOf(slice);
    view_ = whole_;
  }
  if (coding.empty()) return true;
  if (!service.Decompress(coding, view_, decompressed_, error)) return false;
  view_ = decompressed_;
  return true;
}

void MessageBytes::Release() {
  view_ = {};
  slices_->list.clear();
  for (std::string* text : {&whole_, &decompressed_}) {
    if (text->capacity() > kKept) {
      std::string().swap(*text);
    } else {
      text->clear();
    }
  }
}

grpc::ByteBuffer MakeBuffer(std::string& text) {
  if (text.size() <= kCopied) {
    const grpc::Slice slice(text);
    return {&slice, 1};
  }
  auto* owned = new std::string(std::move(text));
  text.clear();
  const grpc::Slice slice(
      owned->data(), owned->size(), [](void* user) { delete static_cast<std::string*>(user); }, owned);
  return {&slice, 1};
}

}  // namespace slipway::rpc
