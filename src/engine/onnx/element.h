#pragma once
// Element types between Slipway and ONNX. TensorProto.DataType and ONNXTensorElementDataType share their numbers.

#include <cstdint>
#include <optional>

#include "engine/tensor.h"

namespace slipway::engine::onnx {

/// nullopt: a type that columns do not hold.
constexpr std::optional<ElementType> FromOnnx(int64_t type) {
  constexpr std::optional<ElementType> kNone;
  constexpr std::optional<ElementType> kTypes[] = {kNone,
                                                   ElementType::kFloat32,
                                                   ElementType::kUInt8,
                                                   ElementType::kInt8,
                                                   ElementType::kUInt16,
                                                   ElementType::kInt16,
                                                   ElementType::kInt32,
                                                   ElementType::kInt64,
                                                   ElementType::kString,
                                                   ElementType::kBoolean,
                                                   ElementType::kFloat16,
                                                   ElementType::kFloat64,
                                                   ElementType::kUInt32,
                                                   ElementType::kUInt64,
                                                   kNone,
                                                   kNone,
                                                   ElementType::kBFloat16};
  return type >= 0 && type < 17 ? kTypes[type] : kNone;
}

constexpr int64_t ToOnnx(ElementType type) {
  for (int64_t number = 0; number < 17; ++number) {
    if (FromOnnx(number) == type) return number;
  }
  return 0;
}

}  // namespace slipway::engine::onnx
