#pragma once
// ModelFile: what an ONNX file says of itself, read by an own bounded reader before ONNX Runtime gets to see the bytes.
// Field numbers: onnx.proto (github.com/onnx/onnx), IR version 12.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace slipway::engine::onnx {

/// Bounds on what is believed of a file; nothing is allocated before it was counted.
struct ModelFileLimits {
  int depth = 24;  ///< of graphs in graphs, and of types in types
  size_t nodes = 4u << 20;
  size_t values = 1u << 16;   ///< graph inputs and outputs; inputs, outputs and attributes of one node
  size_t tensors = 1u << 20;  ///< initializers
  size_t entries = 1u << 12;  ///< operator sets, metadata, functions, kinds of operators
  size_t labels = 1u << 20;
  size_t elements = 1u << 12;  ///< of sequences, all together
  size_t rank = 64;
};

/// A declared input or output of the graph.
struct DeclaredValue {
  enum class Kind : uint8_t { kUnknown, kTensor, kSequence, kMaps, kOptional, kSparse };
  std::string name;
  Kind kind = Kind::kUnknown;  ///< kMaps: sequence(map(string|int64, …))
  int64_t element = 0;         ///< TensorProto.DataType, of maps that of the values
  bool integer_keys = false;   ///< kMaps
  bool has_shape = false;
  std::vector<int64_t> shape;  ///< -1 where dynamic
  std::vector<std::string> dimension_names;
};

/// A tensor whose data lies in another file.
struct ExternalTensor {
  std::string name;
  std::string location;
  int64_t offset = 0;
  int64_t length = -1;  ///< -1: not told
  bool nested = false;  ///< anywhere but among the main graph's initializers
};

struct ZipMapNode {
  std::string input, output;
  std::vector<std::string> labels;
  bool integer_labels = false;
  bool top_level = true;     ///< in the main graph, not in a branch or function
  bool output_used = false;  ///< another node reads the map
};

/// A SequenceConstruct: tensors of the graph as one value.
struct SequenceNode {
  std::string output;
  std::vector<std::string> elements;  ///< names of the tensors
  bool top_level = true;              ///< in the main graph, not in a branch or function
  bool output_used = false;           ///< another node reads the sequence
};

struct ModelFile {
  int64_t ir_version = 0;
  std::string producer, producer_version, domain, graph_name, documentation;
  int64_t model_version = 0;
  std::vector<std::pair<std::string, int64_t>> operator_sets;  ///< domain ("" is ai.onnx) and version
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<DeclaredValue> inputs;  ///< without initializers
  std::vector<DeclaredValue> outputs;
  std::map<std::string, int64_t> operators;  ///< how often: "Gemm", "ai.onnx.ml.ZipMap"; all graphs and functions
  std::vector<std::string> functions;        ///< defined by the file itself, named as operators are
  std::vector<ExternalTensor> external;
  std::vector<ZipMapNode> zip_maps;
  std::vector<SequenceNode> sequences;
  std::vector<std::string> locales;  ///< that StringNormalizer nodes ask for, no duplicates
  int64_t initializers = 0;
  int64_t initializer_bytes = 0;  ///< inside the file
  int64_t parameter_bytes = 0;    ///< initializers and attribute lists
  bool uses_float64 = false;

  /// For `inspect` and lineage.
  base::Value Describe() const;
};

/// "Gemm" of "" or "ai.onnx", "ai.onnx.ml.ZipMap", "com.microsoft.Gelu".
std::string OperatorName(std::string_view domain, std::string_view type);

/// Errors: "engine.model": no ONNX file at all, or one that breaks off, or past a limit.
base::Result<ModelFile> ParseModelFile(std::string_view bytes, const ModelFileLimits& limits = {});

}  // namespace slipway::engine::onnx
