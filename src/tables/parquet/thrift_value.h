#pragma once
// Values in Thrift's compact protocol as trees, to be changed and written again.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tables/parquet/thrift_reader.h"

namespace slipway::tables::parquet {

/// A tree of values that knows their shapes, not their names. What is read and written again is the same value.
struct ThriftValue {
  using Type = ThriftType;

  struct Member;

  Type type = Type::kStop;
  int64_t integer = 0;                            ///< of bytes and integers
  std::string bytes;                              ///< of texts and doubles
  Type element = Type::kStop, key = Type::kStop;  ///< of lists, sets and maps
  std::vector<ThriftValue> items;                 ///< of maps: key, value, key, value, …
  std::vector<Member> members;                    ///< of structs

  static ThriftValue Integer(Type type, int64_t value);
  static ThriftValue I32(int64_t value);
  static ThriftValue I64(int64_t value);
  static ThriftValue Text(std::string_view text);
  static ThriftValue List(Type element, std::vector<ThriftValue> items);
  static ThriftValue Struct(std::vector<Member> members);

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
/// Seven bits a byte, the least first: Thrift's and all of Parquet's numbers of no fixed length.
void AppendVarint(uint64_t value, std::string& out);

}  // namespace slipway::tables::parquet
