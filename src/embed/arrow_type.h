#pragma once
// ArrowType: what a format string of the Arrow C data interface means to a reader.

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::embed {

enum class ArrowKind : uint8_t {
  kNull,
  kBoolean,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kHalf,
  kFloat,
  kDouble,
  kText,       ///< offsets of 32 bits
  kLargeText,  ///< of 64
  kTextView,
  kDecimal,
  kDate,       ///< int32 days
  kTime,       ///< int64, `per_second`
  kList,       ///< offsets of 32 bits
  kLargeList,  ///< of 64
  kFixedSizeList,
  kUnusable,
};

struct ArrowType {
  ArrowKind kind = ArrowKind::kUnusable;
  std::string name;        ///< as Arrow calls it: "timestamp[us, UTC]"
  int64_t per_second = 1;  ///< of times
  bool has_zone = false;   ///< a time is an instant; otherwise it stands on the field's clock
  int bytes = 0;           ///< of a decimal
  int scale = 0;           ///< of a decimal
  int64_t size = 0;        ///< of a list of fixed size

  bool is_list() const {
    return kind == ArrowKind::kList || kind == ArrowKind::kLargeList || kind == ArrowKind::kFixedSizeList;
  }
};

/// Any text gives a type; one that nobody knows is unusable and named by itself.
ArrowType ParseFormat(std::string_view format);

}  // namespace slipway::embed
