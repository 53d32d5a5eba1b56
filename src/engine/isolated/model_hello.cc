#include "engine/isolated/model_hello.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/map_reader.h"
#include "base/value.h"

namespace slipway::engine::isolated {
namespace {

using base::MapReader;
using base::Value;

constexpr size_t kMostTensors = 1 << 16;
constexpr int64_t kMostRows = int64_t{1} << 40;

Value Texts(const std::vector<std::string>& texts) {
  Value list = Value::List();
  for (const std::string& text : texts) list.Add(text);
  return list;
}

Value Specs(const std::vector<TensorSpec>& specs) {
  Value list = Value::List();
  for (const TensorSpec& spec : specs) {
    Value shape = Value::List();
    for (const int64_t dimension : spec.shape) shape.Add(dimension);
    list.Add(Value::Map()
                 .Set("name", spec.name)
                 .Set("type", static_cast<int64_t>(spec.type))
                 .Set("shape", std::move(shape))
                 .Set("dimension_names", Texts(spec.dimension_names))
                 .Set("maps", spec.kind == TensorSpec::Kind::kMaps)
                 .Set("labels", Texts(spec.labels))
                 .Set("integer_labels", spec.integer_labels));
  }
  return list;
}

/// What readers of specs take for granted.
bool SpecFits(const TensorSpec& spec) {
  return spec.dimension_names.empty() || spec.dimension_names.size() == spec.shape.size();
}

std::vector<TensorSpec> ReadSpecs(MapReader& reader, std::string_view key) {
  std::vector<TensorSpec> specs;
  const auto& list = reader.List(key);
  if (list.size() > kMostTensors) {
    reader.Fail();
    return specs;
  }
  for (const Value& value : list) {
    MapReader member(value);
    TensorSpec& spec = specs.emplace_back();
    spec.name = member.Text("name");
    spec.type = static_cast<ElementType>(member.Integer("type", 0, static_cast<int64_t>(ElementType::kString)));
    spec.shape = member.Integers("shape", -1);
    spec.dimension_names = member.Texts("dimension_names");
    spec.kind = member.Boolean("maps") ? TensorSpec::Kind::kMaps : TensorSpec::Kind::kTensor;
    spec.labels = member.Texts("labels");
    spec.integer_labels = member.Boolean("integer_labels");
    if (!member.fine() || !SpecFits(spec)) reader.Fail();
  }
  return specs;
}

std::unexpected<base::Error> Broken() {
  return base::Fail(base::Code::kDataLoss, "engine.protocol", "it told of its model in no known form");
}

std::optional<ModelInfo> ReadModel(const Value& value) {
  MapReader reader(value);
  ModelInfo info;
  info.engine = reader.Text("engine");
  info.inputs = ReadSpecs(reader, "inputs");
  info.outputs = ReadSpecs(reader, "outputs");
  info.batched = reader.Boolean("batched");
  info.fixed_rows = reader.Integer("fixed_rows", 0, kMostRows);
  info.exact_rows = reader.Integer("exact_rows", 0, kMostRows);
  info.exactness = reader.Text("exactness");
  info.external_files = reader.Texts("external_files");
  if (const Value* details = reader.Find("details"); details != nullptr) info.details = *details;
  const auto has_rows = [](const TensorSpec& spec) { return !spec.shape.empty(); };
  if (info.batched && !std::ranges::all_of(info.inputs, has_rows)) return std::nullopt;
  return reader.fine() ? std::optional(std::move(info)) : std::nullopt;
}

bool SameSpecs(const std::vector<TensorSpec>& before, const std::vector<TensorSpec>& now) {
  return std::ranges::equal(before, now, [](const TensorSpec& a, const TensorSpec& b) {
    return a.name == b.name && a.type == b.type && a.shape == b.shape && a.kind == b.kind && a.labels == b.labels;
  });
}

}  // namespace

std::string WriteHello(const base::Result<ModelInfo>& loaded) {
  Value value = Value::Map();
  if (loaded) {
    value.Set("model", Value::Map()
                           .Set("engine", loaded->engine)
                           .Set("inputs", Specs(loaded->inputs))
                           .Set("outputs", Specs(loaded->outputs))
                           .Set("batched", loaded->batched)
                           .Set("fixed_rows", loaded->fixed_rows)
                           .Set("exact_rows", loaded->exact_rows)
                           .Set("exactness", loaded->exactness)
                           .Set("external_files", Texts(loaded->external_files))
                           .Set("details", loaded->details));
  } else {
    const base::Error& error = loaded.error();
    value.Set("error", Value::Map()
                           .Set("code", static_cast<int64_t>(error.code))
                           .Set("reason", error.reason)
                           .Set("message", error.message)
                           .Set("where", error.where));
  }
  return base::ToJson(value) + "\n";
}

base::Result<Hello> ReadHello(std::string_view line) {
  const auto value = base::ParseJson(line);
  if (!value || !value->is_map()) return Broken();
  if (const Value* model = value->Find("model"); model != nullptr) {
    auto info = ReadModel(*model);
    if (!info) return Broken();
    return Hello{*std::move(info)};
  }
  MapReader reader(value->Find("error") == nullptr ? *value : *value->Find("error"));
  base::Error error;
  error.code = static_cast<base::Code>(reader.Integer("code", 0, static_cast<int64_t>(base::Code::kAborted)));
  error.reason = reader.Text("reason");
  error.message = reader.Text("message");
  error.where = reader.Text("where");
  if (!reader.fine()) return Broken();
  return Hello{std::unexpected(std::move(error))};
}

bool IsSameModel(const ModelInfo& before, const ModelInfo& now) {
  return SameSpecs(before.inputs, now.inputs) && SameSpecs(before.outputs, now.outputs) &&
         before.batched == now.batched && before.fixed_rows == now.fixed_rows && before.exact_rows <= now.exact_rows;
}

}  // namespace slipway::engine::isolated
