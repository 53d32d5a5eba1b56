// What a bundle asks of whoever serves it (limits, golden, fallback), and where it comes from (lineage).

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/quantities.h"
#include "base/text.h"
#include "bundle/manifest/section_reader.h"
#include "bundle/manifest/sections.h"
#include "schema/schema.h"

namespace slipway::bundle {
namespace {

using base::Value;
using std::chrono::nanoseconds;

constexpr nanoseconds kMinTimeout = std::chrono::milliseconds(1);
constexpr nanoseconds kMaxTimeout = std::chrono::hours(1);
constexpr int64_t kMaxBatchRows = int64_t{1} << 24;
constexpr double kMinRate = 1e-3, kMaxRate = 1e6;
constexpr int64_t kMaxConcurrency = 1 << 20;
constexpr double kMaxGoldenTolerance = 0.1;
constexpr size_t kMaxFallbacks = 16;
constexpr nanoseconds kMinAge = std::chrono::seconds(1), kMaxAge = std::chrono::hours(24 * 365);
constexpr size_t kMaxDataFiles = 4096;
constexpr size_t kMaxParameters = 65536;

bool Fits(const Value& value, std::string_view type) {
  if (value.is_null()) return true;
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_integer();
  if (type == "number") return value.is_number();
  return value.is_string();
}

void CheckConstant(SectionReader& reader, const base::ValueMap& fields, const std::vector<OutputSpec>& outputs) {
  std::vector<std::string> names;
  for (const OutputSpec& output : outputs) {
    if (output.hidden) continue;
    names.push_back(output.name);
    if (output.top) names.push_back(output.name + "_scores");
  }
  for (const auto& [name, value] : fields) {
    const auto output = std::ranges::find(outputs, name, &OutputSpec::name);
    if (!outputs.empty() && !std::ranges::count(names, name)) {
      return reader.RejectAt(value, "manifest.value",
                             fmt::format("{} answers \"{}\", which is no field of `outputs`{}", reader.Name("constant"),
                                         base::Shorten(name), base::DidYouMean(name, names)));
    }
    if (output == outputs.end()) continue;
    const bool scalar = !output->top && output->labels.empty();
    const std::string type = output->type.value_or(output->when.empty() ? "" : "boolean");
    if (scalar && !type.empty() && !Fits(value, type)) {
      return reader.RejectAt(value, "manifest.type",
                             fmt::format("{} answers \"{}\" with {}, but the output is a {}", reader.Name("constant"),
                                         base::Shorten(name), Shown(value), type));
    }
  }
}

/// `cached: 10m`
nanoseconds ReadAge(SectionReader& reader) {
  const std::string text = reader.RequiredText("cached", kMaxNameBytes);
  if (reader.failed()) return nanoseconds(0);
  const auto age = base::ParseDuration(text);
  if (!age) {
    reader.Reject("cached", "manifest.value", fmt::format("{}: {}", reader.Name("cached"), age.error().message));
    return nanoseconds(0);
  }
  if (*age < kMinAge || *age > kMaxAge) {
    reader.Reject("cached", "manifest.value",
                  fmt::format("{} says how old an answer may be, 1s to 8760h, not {}", reader.Name("cached"),
                              base::Shorten(text)));
  }
  return *age;
}

/// `on: [timeout, engine]`
void ReadReasons(SectionReader& reader, FallbackStep& step) {
  const auto* reasons = reader.List("on", kMaxFallbacks);
  if (reasons == nullptr) return;
  step.on = {};
  for (const Value& reason : *reasons) {
    if (const auto known = reason.is_string() ? ParseFallbackReason(reason.string()) : std::nullopt) {
      step.on.Add(*known);
    } else {
      reader.RejectAt(reason, "manifest.value",
                      fmt::format("{} lists some of {}, not {}", reader.Name("on"),
                                  fmt::join(kFallbackReasonNames, ", "), Shown(reason)));
    }
  }
}

base::Result<FallbackStep> ParseAnswer(const Value& answer, size_t index, bool last,
                                       const std::vector<OutputSpec>& outputs) {
  SectionReader reader(answer, fmt::format("fallback[{}]", index), {"version", "model", "cached", "constant", "on"});
  const bool version = reader.Find("version") != nullptr, model = reader.Find("model") != nullptr;
  const bool cached = reader.Find("cached") != nullptr, constant = reader.Find("constant") != nullptr;
  if (int{version} + int{model} + int{cached} + int{constant} != 1) {
    reader.Reject("", "manifest.value",
                  fmt::format("`fallback[{}]` takes one of {{version: previous}}, {{model: NAME}}, {{cached: "
                              "AGE}} and {{constant: {{…}}}}",
                              index));
  }
  FallbackStep step;
  if (version) {
    step.kind = FallbackStep::Kind::kPrevious;
    if (reader.RequiredText("version") != "previous") {
      reader.Reject("version", "manifest.value", fmt::format("{} must be previous", reader.Name("version")));
    }
  }
  if (model) {
    step.kind = FallbackStep::Kind::kModel;
    step.model = reader.RequiredText("model");
  }
  if (cached) {
    step.kind = FallbackStep::Kind::kCached;
    step.age = ReadAge(reader);
  }
  if (const auto* fields = reader.Map("constant", kMaxNameBytes * kMaxFallbacks); fields != nullptr) {
    if (fields->empty()) {
      reader.Reject("constant", "manifest.value", fmt::format("{} is empty; name its fields", reader.Name("constant")));
    }
    CheckConstant(reader, *fields, outputs);
    step.constant = *answer.Find("constant");
  }
  ReadReasons(reader, step);
  if (constant && !last && step.on.Cover(kUsualFallbackReasons)) {
    reader.Reject(
        "constant", "manifest.contradiction",
        fmt::format("{} always answers, so what follows it never does; put it last", reader.Name("constant")));
  }
  SLIPWAY_TRY(reader.Finish());
  return step;
}

base::Result<void> CheckDataFile(const Value& file, size_t index) {
  SectionReader reader(file, fmt::format("lineage.data[{}]", index), {"file", "sha256", "rows", "size", "description"});
  reader.Text("file");
  reader.Integer("rows", 0, INT64_MAX);
  reader.Integer("size", 0, INT64_MAX);
  reader.Text("description");
  const auto digest = reader.Text("sha256", kMaxNameBytes);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (digest && (digest->size() != 64 || !std::ranges::all_of(*digest, is_hex))) {
    reader.Reject(
        "sha256", "manifest.value",
        fmt::format("{} must be 64 digits of 0-9, a-f, not \"{}\"", reader.Name("sha256"), base::Shorten(*digest, 80)));
  }
  return reader.Finish();
}

}  // namespace

base::Result<Limits> ParseLimits(const Value& section) {
  SectionReader reader(section, "limits", {"timeout", "max_batch_rows", "rate", "concurrency"});
  Limits limits;
  if (const auto text = reader.Text("timeout", kMaxNameBytes); text) {
    const auto timeout = base::ParseDuration(*text);
    if (!timeout) {
      reader.Reject("timeout", "manifest.value",
                    fmt::format("{}: {}", reader.Name("timeout"), timeout.error().message));
    } else if (*timeout < kMinTimeout || *timeout > kMaxTimeout) {
      reader.Reject("timeout", "manifest.value",
                    fmt::format("{} must be 1ms to 1h, not {}", reader.Name("timeout"), base::Shorten(*text)));
    } else {
      limits.timeout = *timeout;
    }
  }
  limits.max_batch_rows = reader.Integer("max_batch_rows", 1, kMaxBatchRows).value_or(limits.max_batch_rows);
  limits.rate = reader.Number("rate");
  if (limits.rate && (*limits.rate < kMinRate || *limits.rate > kMaxRate)) {
    reader.Reject(
        "rate", "manifest.value",
        fmt::format("{} must be 0.001 to 1,000,000 calls a second, not {}", reader.Name("rate"), *limits.rate));
  }
  limits.concurrency = reader.Integer("concurrency", 1, kMaxConcurrency);
  SLIPWAY_TRY(reader.Finish());
  return limits;
}

base::Result<double> ParseGoldenTolerance(const Value& section) {
  SectionReader reader(section, "golden", {"tolerance"});
  const double tolerance = reader.Number("tolerance").value_or(kGoldenTolerance);
  if (tolerance < 0 || tolerance > kMaxGoldenTolerance) {
    reader.Reject("tolerance", "manifest.value",
                  fmt::format("{} must be 0 to {}, a share of the value, not {}", reader.Name("tolerance"),
                              kMaxGoldenTolerance, tolerance));
  }
  SLIPWAY_TRY(reader.Finish());
  return tolerance;
}

base::Result<std::vector<FallbackStep>> ParseFallback(const Value& section, const std::vector<OutputSpec>& outputs) {
  if (!section.is_list() || section.list().empty() || section.list().size() > kMaxFallbacks) {
    return base::Fail(
        base::Code::kInvalidArgument, "manifest.type",
        fmt::format("`fallback` must be a list of 1 to {} answers, e.g. [{{version: previous}}]; remove the "
                    "key for none",
                    kMaxFallbacks),
        schema::Where(section.position()));
  }
  std::vector<FallbackStep> steps;
  for (size_t i = 0; i < section.list().size(); ++i) {
    SLIPWAY_ASSIGN(auto step, ParseAnswer(section.list()[i], i, i + 1 == section.list().size(), outputs));
    steps.push_back(std::move(step));
  }
  return steps;
}

base::Result<void> CheckLineage(const Value& section) {
  SectionReader reader(section, "lineage", {"code", "data", "parameters", "model", "tools", "description"});
  reader.Text("description");
  for (const char* key : {"parameters", "model", "tools"}) reader.Map(key, kMaxParameters);
  if (const Value* code = reader.Find("code"); code != nullptr) {
    SectionReader code_reader(*code, "lineage.code", {"repository", "commit", "branch", "dirty", "description"});
    for (const char* key : {"repository", "commit", "branch", "description"}) code_reader.Text(key);
    code_reader.Boolean("dirty", false);
    reader.Keep(code_reader.Finish());
  }
  if (const auto* data = reader.List("data", kMaxDataFiles); data != nullptr) {
    for (size_t i = 0; i < data->size(); ++i) reader.Keep(CheckDataFile((*data)[i], i));
  }
  return reader.Finish();
}

}  // namespace slipway::bundle
