#pragma once
// WireWriter: appends protocol buffers to a text, field by field.
//
//   WireWriter writer(out);
//   writer.Text(1, name);
//   const auto part = writer.Begin(5);      // a message within
//   writer.Text(1, "x");
//   writer.End(part);

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "rpc/wire_reader.h"

namespace slipway::rpc {

/// Thread-safety: one thread. Ownership: `out` outlives it.
class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  void Varint(uint32_t field, uint64_t value) {
    Tag(field, WireType::kVarint);
    Number(value);
  }
  void Integer(uint32_t field, int64_t value) { Varint(field, static_cast<uint64_t>(value)); }
  void Boolean(uint32_t field, bool value) { Varint(field, value ? 1 : 0); }
  void Single(uint32_t field, float value) {
    Tag(field, WireType::kFixed32);
    Fixed(std::bit_cast<uint32_t>(value));
  }
  void Text(uint32_t field, std::string_view value) {
    Tag(field, WireType::kBytes);
    Number(value.size());
    out_ += value;
  }

  /// A message or bytes whose size is known at its end. `expected`: about how many bytes; where that is right, nothing
  /// moves.
  struct Part {
    size_t begin;
    size_t width;  ///< bytes kept for the length
  };
  Part Begin(uint32_t field, size_t expected = 0);
  void End(const Part& part);

  /// A number of a packed field, between Begin() and End().
  void Number(uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }

  std::string& out() { return out_; }

 private:
  void Tag(uint32_t field, WireType type) { Number(field << 3 | static_cast<uint32_t>(type)); }
  template <typename T>
  void Fixed(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  std::string& out_;
};

}  // namespace slipway::rpc
