#pragma once
// Values in Thrift's compact protocol, which is how Parquet writes its index
// (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::tables {

/// A tree of values that knows their shapes, not their names. What is read and written again is the same value.
struct ThriftValue {
  enum class Type : uint8_t {
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

  struct Member;

  Type type = Type::kStop;
  int64_t integer = 0;                            ///< of bytes and integers
  std::string bytes;                              ///< of texts and doubles
  Type element = Type::kStop, key = Type::kStop;  ///< of lists, sets and maps
  std::vector<ThriftValue> items;                 ///< of maps: key, value, key, value, …
  std::vector<Member> members;                    ///< of structs

  ThriftValue* Find(int16_t number);
  void Remove(int16_t number);
};

struct ThriftValue::Member {
  int16_t number = 0;
  ThriftValue value;
};

/// One struct from the front of `text`. Error: data_loss "tables.parquet".
base::Result<ThriftValue> ReadThrift(std::string_view text);
void AppendThrift(const ThriftValue& value, std::string& out);

}  // namespace slipway::tables
