#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "bundle/manifest/section_reader.h"
#include "bundle/manifest/sections.h"
#include "data/type.h"
#include "schema/schema.h"

namespace slipway::bundle {
namespace {

using base::Value;

constexpr size_t kMaxOutputs = 4096;
constexpr size_t kMaxLabels = 65536;
constexpr int64_t kMaxTop = 65536;
constexpr int64_t kMaxDigits = 15;
constexpr size_t kMaxExpressionBytes = 16384;
const std::vector<std::string> kOutputKeys = {"from",   "when", "expr",  "type",   "min",        "max",
                                              "labels", "top",  "round", "hidden", "description"};

void ReadSource(SectionReader& reader, OutputSpec& output) {
  int sources = 0;
  for (const auto& [key, target] :
       {std::pair{"from", &output.from}, std::pair{"when", &output.when}, std::pair{"expr", &output.expr}}) {
    if (reader.Find(key) == nullptr) continue;
    *target = reader.RequiredText(key, kMaxExpressionBytes);
    if (++sources == 2) {
      reader.Reject(key, "manifest.contradiction",
                    fmt::format("{} stands beside another of from, when, expr; keep one of them", reader.Name(key)));
    }
  }
  if (sources == 0) {
    reader.Reject("", "manifest.missing_key",
                  fmt::format("`outputs.{}` needs one of from (an output of the model), when (a condition) or expr",
                              base::Shorten(output.name)));
  }
}

void ReadLabels(SectionReader& reader, OutputSpec& output) {
  const base::ValueList* labels = reader.List("labels", kMaxLabels);
  if (labels == nullptr) return;
  if (labels->empty()) reader.Reject("labels", "manifest.value", fmt::format("{} is empty", reader.Name("labels")));
  std::vector<std::string> seen;
  for (const Value& label : *labels) {
    if (!label.is_string() && !label.is_integer() && !label.is_boolean()) {
      return reader.RejectAt(
          label, "manifest.type",
          fmt::format("{} must hold texts, integers or booleans, not {}", reader.Name("labels"), Shown(label)));
    }
    seen.push_back(label.is_string() ? label.string() : base::ToJson(label));
    output.labels.push_back(label);
  }
  std::ranges::sort(seen);
  if (const auto twin = std::ranges::adjacent_find(seen); twin != seen.end()) {
    reader.Reject("labels", "manifest.value",
                  fmt::format("{} names \"{}\" twice", reader.Name("labels"), base::Shorten(*twin)));
  }
}

void CheckType(SectionReader& reader, const OutputSpec& output) {
  if (output.type) {
    if (auto type = data::ParseScalarType(*output.type); !type) {
      return reader.Reject("type", "manifest.value", fmt::format("{}: {}", reader.Name("type"), type.error().message));
    }
  }
  const std::string type = output.type.value_or(output.when.empty() ? "number" : "boolean");
  if (type == "number" || type == "integer") return;
  if (!output.when.empty() && type != "boolean") {
    return reader.Reject("type", "manifest.contradiction",
                         fmt::format("{} is {}, but `when` yields true or false; use expr", reader.Name("type"), type));
  }
  for (const char* key : {"min", "max", "round"}) {
    if (reader.Find(key) == nullptr) continue;
    reader.Reject(key, "manifest.contradiction",
                  fmt::format("{} is for numbers, but the output is a {}; remove it", reader.Name(key), type));
  }
}

base::Result<OutputSpec> ParseOutput(const std::string& name, const Value& value) {
  OutputSpec output;
  output.name = name;
  output.position = value.position();
  if (value.is_string() && !value.string().empty()) {
    output.from = value.string();
    return output;
  }
  SectionReader reader(value, fmt::format("outputs.{}", base::Shorten(name)), kOutputKeys);
  ReadSource(reader, output);
  output.type = reader.Text("type", kMaxNameBytes);
  output.min = reader.Number("min");
  output.max = reader.Number("max");
  if (output.min && output.max && *output.min > *output.max) {
    reader.Reject("min", "manifest.contradiction",
                  fmt::format("{} is {}, above max {}", reader.Name("min"), *output.min, *output.max));
  }
  ReadLabels(reader, output);
  output.top = reader.Integer("top", 1, kMaxTop);
  if (output.top && !output.labels.empty() && *output.top > static_cast<int64_t>(output.labels.size())) {
    reader.Reject(
        "top", "manifest.contradiction",
        fmt::format("{} is {}, but there are {} labels", reader.Name("top"), *output.top, output.labels.size()));
  }
  output.round = reader.Integer("round", 0, kMaxDigits);
  output.hidden = reader.Boolean("hidden", false);
  output.description = reader.Text("description").value_or("");
  CheckType(reader, output);
  SLIPWAY_TRY(reader.Finish());
  return output;
}

}  // namespace

base::Result<std::vector<OutputSpec>> ParseOutputs(const Value& section) {
  const auto refuse = [&](const Value& at, std::string_view reason, std::string message) {
    return base::Fail(base::Code::kInvalidArgument, std::string(reason), std::move(message),
                      schema::Where(at.position()));
  };
  if (!section.is_map() || section.map().empty() || section.map().size() > kMaxOutputs) {
    return refuse(
        section, "manifest.type",
        fmt::format("`outputs` must be a map of 1 to {} fields; remove the key to answer with the model's own "
                    "outputs",
                    kMaxOutputs));
  }
  std::vector<OutputSpec> outputs;
  for (const auto& [name, value] : section.map()) {
    if (name.empty() || name.size() > kMaxNameBytes) {
      return refuse(
          value, "manifest.value",
          fmt::format("an output's name has 1 to {} bytes, unlike \"{}\"", kMaxNameBytes, base::Shorten(name)));
    }
    SLIPWAY_ASSIGN(OutputSpec output, ParseOutput(name, value));
    outputs.push_back(std::move(output));
  }
  if (std::ranges::all_of(outputs, &OutputSpec::hidden)) {
    return refuse(section, "manifest.contradiction", "every one of `outputs` is hidden: a prediction would be empty");
  }
  return outputs;
}

}  // namespace slipway::bundle
