#pragma once
// TinyModel writes small ONNX files for tests, field by field, so that they can also be wrong on purpose.
//
//   const std::string bytes = TinyModel().Input("x", 1, {-1, 2}).Node("Neg", {"x"}, {"y"}).Output("y", 1, {-1,
//   2}).Bytes();

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/onnx/wire.h"

namespace slipway::engine::onnx {

// TensorProto.DataType
inline constexpr int kFloat = 1, kInt32 = 6, kInt64 = 7, kString = 8, kBool = 9, kDouble = 11;

/// Attributes, ready for TinyModel::Node().
inline std::string IntAttribute(std::string_view name, int64_t value) {
  std::string out;
  AppendWireBytes(out, 1, name);
  AppendWireInteger(out, 3, static_cast<uint64_t>(value));
  AppendWireInteger(out, 20, 2);
  return out;
}
inline std::string TextAttribute(std::string_view name, std::string_view value) {
  std::string out;
  AppendWireBytes(out, 1, name);
  AppendWireBytes(out, 4, value);
  AppendWireInteger(out, 20, 3);
  return out;
}
inline std::string FloatsAttribute(std::string_view name, const std::vector<float>& values) {
  std::string out, packed;
  AppendWireBytes(out, 1, name);
  for (float value : values) packed.append(reinterpret_cast<const char*>(&value), sizeof(float));
  AppendWireBytes(out, 7, packed);
  AppendWireInteger(out, 20, 6);
  return out;
}
inline std::string IntsAttribute(std::string_view name, const std::vector<int64_t>& values) {
  std::string out;
  AppendWireBytes(out, 1, name);
  for (int64_t value : values) AppendWireInteger(out, 8, static_cast<uint64_t>(value));
  AppendWireInteger(out, 20, 7);
  return out;
}
inline std::string TextsAttribute(std::string_view name, const std::vector<std::string>& values) {
  std::string out;
  AppendWireBytes(out, 1, name);
  for (const std::string& value : values) AppendWireBytes(out, 9, value);
  AppendWireInteger(out, 20, 8);
  return out;
}
inline std::string GraphAttribute(std::string_view name, std::string_view graph) {
  std::string out;
  AppendWireBytes(out, 1, name);
  AppendWireBytes(out, 6, graph);
  AppendWireInteger(out, 20, 5);
  return out;
}

/// TensorProto with float data inside.
inline std::string FloatTensor(std::string_view name, const std::vector<int64_t>& shape,
                               const std::vector<float>& values) {
  std::string out;
  for (int64_t size : shape) AppendWireInteger(out, 1, static_cast<uint64_t>(size));
  AppendWireInteger(out, 2, kFloat);
  AppendWireBytes(out, 8, name);
  AppendWireBytes(out, 9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  return out;
}
/// TensorProto of floats whose data lies in another file.
inline std::string ExternalFloatTensor(std::string_view name, const std::vector<int64_t>& shape,
                                       std::string_view location, std::string_view offset = "0",
                                       std::string_view length = "") {
  std::string out;
  for (int64_t size : shape) AppendWireInteger(out, 1, static_cast<uint64_t>(size));
  AppendWireInteger(out, 2, kFloat);
  AppendWireBytes(out, 8, name);
  const auto entry = [&](std::string_view key, std::string_view value) {
    std::string pair;
    AppendWireBytes(pair, 1, key);
    AppendWireBytes(pair, 2, value);
    AppendWireBytes(out, 13, pair);
  };
  entry("location", location);
  entry("offset", offset);
  if (!length.empty()) entry("length", length);
  AppendWireInteger(out, 14, 1);
  return out;
}

class TinyModel {
 public:
  TinyModel& Node(std::string_view type, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs, const std::vector<std::string>& attributes = {},
                  std::string_view domain = "") {
    std::string node;
    for (const std::string& name : inputs) AppendWireBytes(node, 1, name);
    for (const std::string& name : outputs) AppendWireBytes(node, 2, name);
    AppendWireBytes(node, 4, type);
    for (const std::string& attribute : attributes) AppendWireBytes(node, 5, attribute);
    if (!domain.empty()) AppendWireBytes(node, 7, domain);
    AppendWireBytes(graph_, 1, node);
    return *this;
  }
  TinyModel& MlNode(std::string_view type, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const std::vector<std::string>& attributes = {}) {
    return Node(type, inputs, outputs, attributes, "ai.onnx.ml");
  }
  TinyModel& Input(std::string_view name, int type, const std::vector<int64_t>& shape,
                   const std::vector<std::string>& names = {}) {
    AppendWireBytes(graph_, 11, Value(name, TensorType(type, shape, names)));
    return *this;
  }
  TinyModel& Output(std::string_view name, int type, const std::vector<int64_t>& shape) {
    AppendWireBytes(graph_, 12, Value(name, TensorType(type, shape, {})));
    return *this;
  }
  TinyModel& UnshapedOutput(std::string_view name, int type) {
    std::string tensor, whole;
    AppendWireInteger(tensor, 1, static_cast<uint64_t>(type));
    AppendWireBytes(whole, 1, tensor);
    AppendWireBytes(graph_, 12, Value(name, whole));
    return *this;
  }
  /// A ZipMap's output: sequence(map(key, float)).
  TinyModel& MapsOutput(std::string_view name, int key) {
    std::string element, tensor, map, whole, sequence, type;
    AppendWireInteger(tensor, 1, kFloat);
    AppendWireBytes(element, 1, tensor);
    AppendWireInteger(map, 1, static_cast<uint64_t>(key));
    AppendWireBytes(map, 2, element);
    AppendWireBytes(whole, 5, map);
    AppendWireBytes(sequence, 1, whole);
    AppendWireBytes(type, 4, sequence);
    AppendWireBytes(graph_, 12, Value(name, type));
    return *this;
  }
  /// sequence(tensor(element)) of untold shape.
  TinyModel& SequenceOutput(std::string_view name, int element) {
    std::string tensor, whole, sequence, type;
    AppendWireInteger(tensor, 1, static_cast<uint64_t>(element));
    AppendWireBytes(whole, 1, tensor);
    AppendWireBytes(sequence, 1, whole);
    AppendWireBytes(type, 4, sequence);
    AppendWireBytes(graph_, 12, Value(name, type));
    return *this;
  }
  TinyModel& Initializer(std::string_view tensor) {
    AppendWireBytes(graph_, 5, tensor);
    return *this;
  }
  TinyModel& IrVersion(uint64_t version) {
    ir_version_ = version;
    return *this;
  }
  TinyModel& OperatorSet(std::string_view domain, uint64_t version) {
    std::string set;
    AppendWireBytes(set, 1, domain);
    AppendWireInteger(set, 2, version);
    AppendWireBytes(sets_, 8, set);
    return *this;
  }
  /// The graph alone, for attributes.
  std::string Graph() const { return Named(graph_); }
  std::string Bytes() const {
    std::string out;
    AppendWireInteger(out, 1, ir_version_);
    AppendWireBytes(out, 2, "tiny");
    AppendWireBytes(out, 7, Named(graph_));
    if (!sets_.empty()) return out + sets_;
    return out + TinyModel().OperatorSet("", 17).OperatorSet("ai.onnx.ml", 3).sets_;
  }

 private:
  static std::string Named(std::string graph) {
    AppendWireBytes(graph, 2, "graph");
    return graph;
  }
  static std::string TensorType(int type, const std::vector<int64_t>& shape, const std::vector<std::string>& names) {
    std::string dimensions, tensor, whole;
    for (size_t i = 0; i < shape.size(); ++i) {
      std::string dimension;
      if (shape[i] >= 0) AppendWireInteger(dimension, 1, static_cast<uint64_t>(shape[i]));
      if (i < names.size()) AppendWireBytes(dimension, 2, names[i]);
      AppendWireBytes(dimensions, 1, dimension);
    }
    AppendWireInteger(tensor, 1, static_cast<uint64_t>(type));
    AppendWireBytes(tensor, 2, dimensions);
    AppendWireBytes(whole, 1, tensor);
    return whole;
  }
  static std::string Value(std::string_view name, std::string_view type) {
    std::string value;
    AppendWireBytes(value, 1, name);
    AppendWireBytes(value, 2, type);
    return value;
  }

  std::string graph_, sets_;
  uint64_t ir_version_ = 8;
};

}  // namespace slipway::engine::onnx
