#pragma once
// Values as protocol buffers: what the REST doors describe in JSON is told over gRPC in messages of the same fields, by
// tables that give each name its number.
//
//   constexpr FieldShape kTensorFields[] = {{"name", 1}, {"datatype", 2}, {"shape", 3, FieldShape::kInteger}};
//   AppendMessage(DescribeTensor(…), {kTensorFields}, out);

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/value.h"

namespace slipway::serving::grpc {

struct FieldShape;
struct MessageShape {
  std::span<const FieldShape> fields;
};

/// A name of an enumeration.
struct WordNumber {
  std::string_view word;
  int number;
};

/// A field of a message. A list is a repeated one.
struct FieldShape {
  enum Kind : uint8_t {
    kText,
    kInteger,  ///< also one that the value has as text
    kFlag,
    kWord,     ///< an enumeration, by `words`
    kMessage,  ///< of shape `message`
    kMap,      ///< from names to messages of shape `message`
  };
  std::string_view name;
  uint32_t number = 0;
  Kind kind = kText;
  const MessageShape* message = nullptr;
  std::span<const WordNumber> words = {};
};

/// Appends what `map` holds under the names of the shape; other names are left out, as are scalars of their default.
void AppendMessage(const base::Value& map, const MessageShape& shape, std::string& out);

}  // namespace slipway::serving::grpc
