#pragma once
// Tensors as engines take and give them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::engine {

enum class ElementType : uint8_t {
  kFloat32,
  kFloat64,
  kFloat16,
  kBFloat16,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kBoolean,
  kString,
};

/// "float32", …
std::string_view ElementTypeName(ElementType type);
/// Bytes of one element; 0 for strings.
size_t ElementSize(ElementType type);

/// What a model declares of one input or output.
struct TensorSpec {
  enum class Kind : uint8_t {
    kTensor,
    kMaps,  ///< a sequence of maps label -> number, one a row (ZipMap); delivered as a rows x labels tensor
  };
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;                ///< as declared; -1 where dynamic; for maps: [-1, labels or -1]
  std::vector<std::string> dimension_names;  ///< symbolic names where the model gives them, else ""
  Kind kind = Kind::kTensor;
  std::vector<std::string> labels;  ///< kMaps: the keys as text, in the model's order, when known
  bool integer_labels = false;

  /// Shape of one row: without the leading batch dimension if the model has one.
  std::vector<int64_t> RowShape(bool batched) const;
};

/// An input for one run: borrowed memory, row-major.
struct TensorView {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  const void* data = nullptr;                 ///< numeric elements
  const std::string_view* strings = nullptr;  ///< string elements
};

/// An output of one run; memory is kept from run to run.
struct Tensor {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;       ///< numeric elements, row-major
  std::vector<std::string> strings;  ///< string elements
  std::vector<std::string> labels;   ///< kMaps whose labels the model file did not tell

  int64_t elements() const;
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data.data());
  }
};

}  // namespace slipway::engine
