#pragma once
// The datatypes of the Open Inference Protocol, in REST and gRPC alike.

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/type.h"
#include "engine/tensor.h"

namespace slipway::serving::tensors {

enum class Datatype : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kFp32,
  kFp64,
  kBf16,
  kBytes,
};

/// "FP32", …
std::string_view DatatypeName(Datatype type);
/// "TYPE_FP32", …, as model configurations spell it ("TYPE_STRING" for BYTES).
std::string_view ConfigDatatypeName(Datatype type);
std::optional<Datatype> ParseDatatype(std::string_view name);
/// Every name, for messages.
inline constexpr std::string_view kKnownDatatypes =
    "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BF16, BYTES";

/// Bytes of an element in binary form; 0 for BYTES, whose elements have a length each.
int64_t DatatypeSize(Datatype type);

Datatype DatatypeOf(engine::ElementType type);
/// A column as tensors show it: FP64 (FP32 for single precision), INT64, BOOL, and BYTES for strings and timestamps.
Datatype DatatypeOf(const data::Field& field);

/// Calls `visit` with a value of the C++ type that a numeric datatype has in memory; 16-bit floats as Half and Bfloat.
struct Half {
  uint16_t bits;
};
struct Bfloat {
  uint16_t bits;
};
template <typename Visit>
auto VisitNumeric(Datatype type, Visit&& visit) {
  switch (type) {
    case Datatype::kBool:
    case Datatype::kUint8:
      return visit(uint8_t{});
    case Datatype::kUint16:
      return visit(uint16_t{});
    case Datatype::kUint32:
      return visit(uint32_t{});
    case Datatype::kUint64:
      return visit(uint64_t{});
    case Datatype::kInt8:
      return visit(int8_t{});
    case Datatype::kInt16:
      return visit(int16_t{});
    case Datatype::kInt32:
      return visit(int32_t{});
    case Datatype::kFp16:
      return visit(Half{});
    case Datatype::kFp32:
      return visit(float{});
    case Datatype::kFp64:
      return visit(double{});
    case Datatype::kBf16:
      return visit(Bfloat{});
    case Datatype::kInt64:
    case Datatype::kBytes:  // has no numeric type: the caller has looked
      break;
  }
  return visit(int64_t{});
}

}  // namespace slipway::serving::tensors
