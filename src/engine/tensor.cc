#include "engine/tensor.h"

#include <array>

namespace slipway::engine {

namespace {

struct ElementFacts {
  std::string_view name;
  size_t size;
};

constexpr std::array<ElementFacts, 14> kElements = {{
    {"float32", 4},
    {"float64", 8},
    {"float16", 2},
    {"bfloat16", 2},
    {"int8", 1},
    {"int16", 2},
    {"int32", 4},
    {"int64", 8},
    {"uint8", 1},
    {"uint16", 2},
    {"uint32", 4},
    {"uint64", 8},
    {"boolean", 1},
    {"string", 0},
}};

}  // namespace

std::string_view ElementTypeName(ElementType type) {
  return kElements[static_cast<size_t>(type)].name;
}

size_t ElementSize(ElementType type) {
  return kElements[static_cast<size_t>(type)].size;
}

std::vector<int64_t> TensorSpec::RowShape(bool batched) const {
  if (!batched || shape.empty()) return shape;
  return {shape.begin() + 1, shape.end()};
}

int64_t Tensor::elements() const {
  int64_t count = 1;
  for (int64_t dimension : shape) count *= dimension;
  return count;
}

}  // namespace slipway::engine
