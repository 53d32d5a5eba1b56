#include "rpc/wire_writer.h"

namespace slipway::rpc {
namespace {

size_t WidthOf(uint64_t value) {
  size_t width = 1;
  for (; value >= 0x80; value >>= 7) ++width;
  return width;
}

}  // namespace

WireWriter::Part WireWriter::Begin(uint32_t field, size_t expected) {
  Tag(field, WireType::kBytes);
  const Part part = {out_.size(), WidthOf(expected)};
  out_.append(part.width, '\0');
  return part;
}

void WireWriter::End(const Part& part) {
  uint64_t size = out_.size() - part.begin - part.width;
  const size_t width = WidthOf(size);
  if (width > part.width) {
    out_.insert(part.begin, width - part.width, '\0');
  } else if (width < part.width) {
    out_.erase(part.begin, part.width - width);
  }
  char* at = out_.data() + part.begin;
  for (size_t i = 1; i < width; ++i, size >>= 7) *at++ = static_cast<char>(size | 0x80);
  *at = static_cast<char>(size);
}

}  // namespace slipway::rpc
