#pragma once
// WireReader: protocol buffers as they stand in their bytes, field by field, without copies and without generated code.
//
//   WireReader reader(message);
//   while (reader.Next()) {
//     if (reader.Is(1, WireType::kBytes)) name = reader.bytes();
//   }
//   if (reader.broken()) …

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace slipway::rpc {

/// How a field's value is written. Groups are stepped over.
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// Fields of numbers or types that the caller does not ask for are stepped over, as every protobuf parser does.
/// Thread-safety: one thread. Ownership: views into the message, which outlives it.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  /// Moves to the next field. False at the end, and where the bytes are no message (broken()).
  bool Next();
  bool broken() const { return broken_; }

  uint32_t field() const { return field_; }
  WireType type() const { return type_; }
  bool Is(uint32_t field, WireType type) const { return field == field_ && type == type_; }

  uint64_t varint() const { return number_; }  ///< also the bits of a fixed field
  bool boolean() const { return number_ != 0; }
  int64_t integer() const { return static_cast<int64_t>(number_); }
  float single() const { return std::bit_cast<float>(static_cast<uint32_t>(number_)); }
  double real() const { return std::bit_cast<double>(number_); }
  std::string_view bytes() const { return bytes_; }  ///< of kBytes: text, bytes, message or packed numbers

 private:
  bool Fail() {
    broken_ = true;
    return false;
  }
  bool ReadVarint(uint64_t& value);
  bool ReadFixed(size_t size);
  bool ReadValue(uint32_t wire_type);
  bool SkipGroup(uint32_t field);

  std::string_view rest_, bytes_;
  uint64_t number_ = 0;
  uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  bool broken_ = false;
};

/// Steps through the numbers of a repeated field that stands at `reader`, packed or one by one: `number(bits)` gets
/// varints as they are and fixed numbers as their bits. False: packed bytes are broken, or `number` returned false.
template <typename Number>
bool ForEachNumber(const WireReader& reader, WireType type, Number&& number);

/// One packed number of a kind; advances `bytes`. False at the end, `broken` where they break off.
bool NextPacked(std::string_view& bytes, WireType type, uint64_t& value, bool& broken);

template <typename Number>
bool ForEachNumber(const WireReader& reader, WireType type, Number&& number) {
  if (reader.type() == type) return number(reader.varint());
  if (reader.type() != WireType::kBytes) return true;
  std::string_view bytes = reader.bytes();
  uint64_t value = 0;
  bool broken = false;
  while (NextPacked(bytes, type, value, broken)) {
    if (!number(value)) return false;
  }
  return !broken;
}

}  // namespace slipway::rpc
