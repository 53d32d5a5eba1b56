#pragma once
// KnownGraph reads an ONNX graph node by node and keeps what the file alone tells of every tensor: its type, how large
// it can get, and the values of small integer constants. It believes nothing twice said and nothing it does not know.
// Field numbers: onnx.proto (github.com/onnx/onnx), IR version 12.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/onnx/wire.h"

namespace slipway::engine::onnx {

// TensorProto.DataType
inline constexpr int64_t kFloatElement = 1, kInt64Element = 7, kStringElement = 8, kBoolElement = 9;

/// Where sizes saturate.
inline constexpr int64_t kSaturatedSize = int64_t{1} << 60;

/// a * b for sizes; saturates.
inline int64_t Times(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kSaturatedSize : std::min(product, kSaturatedSize);
}

/// One dimension of a tensor.
struct Dimension {
  enum class Kind : uint8_t {
    kExact,
    kRows,  ///< the number of rows of a run
    kOpen,  ///< depends on the inputs' shapes
  };
  int64_t most = 1;  ///< exact, or the largest that a trial run at load gives
  Kind kind = Kind::kExact;

  bool exact() const { return kind == Kind::kExact; }
  friend bool operator==(const Dimension&, const Dimension&) = default;
};
using Dimensions = std::vector<Dimension>;

/// The most elements that a tensor of this shape can have; saturates.
int64_t MostElements(const Dimensions& shape);

struct KnownTensor {
  int64_t type = 0;  ///< TensorProto.DataType; 0: of none that a tensor can hold, or not known
  Dimensions shape;
  std::optional<std::vector<int64_t>> integers;  ///< values of a constant of at most 64 whole numbers

  int64_t MostBytes() const;  ///< saturates
  bool floating() const;      ///< float16, float32, float64, bfloat16
};

/// Reads a TensorProto; nullopt when its data lies elsewhere or is less than its shape wants, or it is empty, of an
/// unknown type, in segments, or says a thing twice.
std::optional<KnownTensor> ReadKnownTensor(std::string_view message);

/// An AttributeProto. The lists stay in the file until they are asked for.
struct KnownAttribute {
  std::string_view name, text, tensor;
  int64_t integer = 0;
  bool has_float = false;
  int64_t floats = 0, integers = 0, texts = 0;  ///< lengths of its lists
  std::string_view message;

  std::vector<int64_t> Integers() const;
  std::vector<std::string_view> Texts() const;
};

/// A NodeProto without subgraphs.
struct KnownNode {
  std::string_view domain, type;
  std::vector<std::string_view> inputs, outputs;
  std::vector<KnownAttribute> attributes;

  const KnownAttribute* Find(std::string_view name) const;
  int64_t Integer(std::string_view name, int64_t otherwise) const;
  std::string_view Text(std::string_view name, std::string_view otherwise) const;
};

/// nullopt: a subgraph, a function's parameter, or a thing said twice.
std::optional<KnownNode> ReadKnownNode(std::string_view message);

class KnownGraph {
 public:
  /// Reads initializers and inputs. Nodes follow in the file's order. False: something that it does not know.
  bool Open(std::string_view graph);
  const std::vector<std::string_view>& nodes() const { return nodes_; }

  /// nullptr: no such tensor (or the empty name).
  const KnownTensor* Find(std::string_view name) const;
  /// False when the name is taken: ONNX tensors are assigned once.
  bool Put(std::string_view name, KnownTensor tensor);
  /// What all tensors but the initializers take at most, if none is ever freed; saturates.
  int64_t bytes() const { return bytes_; }
  /// Adds what is no tensor.
  void Take(int64_t bytes);

 private:
  bool ReadInitializer(std::string_view message);
  bool ReadInput(std::string_view message);

  std::unordered_map<std::string_view, KnownTensor> tensors_;
  int64_t bytes_ = 0;
  std::vector<std::string_view> nodes_;
};

/// Walks over a message's fields and notes when one that may stand once stands twice, or is of a number that is not
/// known.
class StrictReader {
 public:
  /// Bit n of each mask: field n.
  StrictReader(std::string_view message, uint64_t once, uint64_t many) : reader_(message), once_(once), many_(many) {}
  bool Next(WireField& field);
  /// For the lists that follow a field at once.
  WireReader& lists() { return reader_; }
  /// After the last field: whether all of them were as they may be.
  bool ok() const { return ok_ && reader_.ok(); }

 private:
  WireReader reader_;
  uint64_t once_, many_, seen_ = 0;
  bool ok_ = true;
};

}  // namespace slipway::engine::onnx
