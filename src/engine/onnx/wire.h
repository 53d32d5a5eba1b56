#pragma once
// Protocol-buffer wire format: just enough to read an ONNX file without trusting it, and to write an edited copy.
// Source: protobuf.dev/programming-guides/encoding.

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::engine::onnx {

struct WireField {
  enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  uint32_t number = 0;
  Type type = Type::kVarint;
  uint64_t value = 0;      ///< varint and fixed types
  std::string_view bytes;  ///< kBytes: a view into the message
  std::string_view whole;  ///< the field with its tag, for copying

  bool Is(uint32_t wanted, Type wanted_type) const { return number == wanted && type == wanted_type; }
};

/// Walks over the fields of one message. Never reads outside `message`; groups are refused.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  /// False at the end and at the first malformed byte; then ok() tells which.
  bool Next(WireField& field);
  bool ok() const { return ok_; }

  /// The entries of a repeated field below 16 that follow at once, much faster than by Next(): lists are most of a tree
  /// ensemble. `each` gets the value; what is malformed makes ok() false.
  template <typename Each>
  void EachVarint(uint32_t number, Each each) {
    const auto tag = static_cast<char>(number << 3 | 0);
    uint64_t value = 0;
    while (!rest_.empty() && rest_.front() == tag) {
      rest_.remove_prefix(1);
      if (!ReadVarint(value)) {
        ok_ = false;
        return;
      }
      each(value);
    }
  }
  template <typename Each>
  void EachText(uint32_t number, Each each) {
    const auto tag = static_cast<char>(number << 3 | 2);
    uint64_t length = 0;
    while (!rest_.empty() && rest_.front() == tag) {
      rest_.remove_prefix(1);
      if (!ReadVarint(length) || length > rest_.size()) {
        ok_ = false;
        return;
      }
      each(rest_.substr(0, length));
      rest_.remove_prefix(length);
    }
  }
  /// Skips entries of four bytes; how many.
  size_t SkipFixed32(uint32_t number) {
    const auto tag = static_cast<char>(number << 3 | 5);
    size_t count = 0;
    for (; rest_.size() >= 5 && rest_.front() == tag; ++count) rest_.remove_prefix(5);
    return count;
  }

 private:
  bool ReadVarint(uint64_t& value) {
    if (!rest_.empty() && static_cast<uint8_t>(rest_.front()) < 0x80) {
      value = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      return true;
    }
    return ReadLongVarint(value);
  }
  bool ReadLongVarint(uint64_t& value);
  bool Stop() { return ok_ = false; }
  std::string_view rest_;
  bool ok_ = true;
};

void AppendWireVarint(std::string& out, uint64_t value);
void AppendWireInteger(std::string& out, uint32_t number, uint64_t value);
void AppendWireBytes(std::string& out, uint32_t number, std::string_view bytes);

}  // namespace slipway::engine::onnx
