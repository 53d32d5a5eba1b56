#include "serving/tensors/datatype.h"

#include <algorithm>
#include <array>

namespace slipway::serving::tensors {
namespace {

struct Facts {
  std::string_view name, config_name;
  int64_t size;
};

constexpr std::array<Facts, 14> kFacts = {{
    {"BOOL", "TYPE_BOOL", 1},
    {"UINT8", "TYPE_UINT8", 1},
    {"UINT16", "TYPE_UINT16", 2},
    {"UINT32", "TYPE_UINT32", 4},
    {"UINT64", "TYPE_UINT64", 8},
    {"INT8", "TYPE_INT8", 1},
    {"INT16", "TYPE_INT16", 2},
    {"INT32", "TYPE_INT32", 4},
    {"INT64", "TYPE_INT64", 8},
    {"FP16", "TYPE_FP16", 2},
    {"FP32", "TYPE_FP32", 4},
    {"FP64", "TYPE_FP64", 8},
    {"BF16", "TYPE_BF16", 2},
    {"BYTES", "TYPE_STRING", 0},
}};

}  // namespace

std::string_view DatatypeName(Datatype type) {
  return kFacts[static_cast<size_t>(type)].name;
}

std::string_view ConfigDatatypeName(Datatype type) {
  return kFacts[static_cast<size_t>(type)].config_name;
}

int64_t DatatypeSize(Datatype type) {
  return kFacts[static_cast<size_t>(type)].size;
}

std::optional<Datatype> ParseDatatype(std::string_view name) {
  const auto found = std::ranges::find(kFacts, name, &Facts::name);
  if (found == kFacts.end()) return std::nullopt;
  return static_cast<Datatype>(found - kFacts.begin());
}

Datatype DatatypeOf(engine::ElementType type) {
  using engine::ElementType;
  switch (type) {
    case ElementType::kFloat32:
      return Datatype::kFp32;
    case ElementType::kFloat64:
      return Datatype::kFp64;
    case ElementType::kFloat16:
      return Datatype::kFp16;
    case ElementType::kBFloat16:
      return Datatype::kBf16;
    case ElementType::kInt8:
      return Datatype::kInt8;
    case ElementType::kInt16:
      return Datatype::kInt16;
    case ElementType::kInt32:
      return Datatype::kInt32;
    case ElementType::kInt64:
      return Datatype::kInt64;
    case ElementType::kUInt8:
      return Datatype::kUint8;
    case ElementType::kUInt16:
      return Datatype::kUint16;
    case ElementType::kUInt32:
      return Datatype::kUint32;
    case ElementType::kUInt64:
      return Datatype::kUint64;
    case ElementType::kBoolean:
      return Datatype::kBool;
    case ElementType::kString:
      return Datatype::kBytes;
  }
  return Datatype::kBytes;
}

Datatype DatatypeOf(const data::Field& field) {
  switch (field.type.scalar) {
    case data::ScalarType::kBoolean:
      return Datatype::kBool;
    case data::ScalarType::kInteger:
      return Datatype::kInt64;
    case data::ScalarType::kNumber:
      return field.single_precision ? Datatype::kFp32 : Datatype::kFp64;
    case data::ScalarType::kString:
    case data::ScalarType::kTimestamp:
      return Datatype::kBytes;
  }
  return Datatype::kBytes;
}

}  // namespace slipway::serving::tensors
