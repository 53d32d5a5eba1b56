#pragma once
// ThriftReader takes values of Thrift's compact protocol off a text one after another. Parquet's index and the heads of
// its pages are written in it (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md).

#include <cstdint>
#include <string_view>

namespace slipway::tables::parquet {

enum class ThriftType : uint8_t {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
};

/// The caller knows the shape of what it reads; Skip() passes over the rest. After a fault every value is empty, and
/// every struct and list ends. Thread-safety: one thread at a time.
class ThriftReader {
 public:
  struct Member {
    int16_t number = 0;
    ThriftType type = ThriftType::kStop;  ///< kStop: the struct has ended
  };
  struct Items {
    uint64_t count = 0;
    ThriftType key = ThriftType::kStop, element = ThriftType::kStop;
  };

  /// `text` must outlive this.
  explicit ThriftReader(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  std::string_view rest() const { return text_; }  ///< empty after a fault

  /// The head of the member behind number `last` (0: the first) of the struct at hand; its value comes next.
  Member NextMember(int16_t last);
  int8_t Byte() { return static_cast<int8_t>(RawByte()); }
  int64_t Integer();          ///< of 16, 32 or 64 bits
  std::string_view Double();  ///< its 8 bytes
  std::string_view Binary();  ///< of a text, or of bytes
  ThriftType Truth();         ///< of an element of a list; that of a member is its type
  Items ListHead();           ///< of a list or a set
  Items MapHead();
  void Skip(ThriftType type);  ///< the value of a member
  void Fail();

  /// Calls `read(member)` for each member of the struct at hand; those for which it is false are skipped.
  template <typename Read>
  void Struct(Read&& read) {
    for (Member member = NextMember(0); member.type != ThriftType::kStop; member = NextMember(member.number)) {
      if (!read(member)) Skip(member.type);
    }
  }

 private:
  static constexpr int kDepth = 32;

  uint8_t RawByte();
  std::string_view Take(uint64_t count);
  uint64_t Varint();
  void Skip(ThriftType type, int depth, bool in_list);

  std::string_view text_;
  bool failed_ = false;
};

}  // namespace slipway::tables::parquet
