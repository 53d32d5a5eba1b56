#include "bundle/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "bundle/archive/entry_name.h"
#include "bundle/manifest/section_reader.h"
#include "bundle/manifest/sections.h"

namespace slipway::bundle {
namespace {

using base::Value;

constexpr int64_t kFormat = 1;
constexpr size_t kMaxSteps = 4096;
constexpr size_t kMaxFiles = 1024;
constexpr std::string_view kFileName = "slipway.yaml";
const std::vector<std::string> kKeys = {"slipway", "name",           "version",  "description", "target",  "inputs",
                                        "rules",   "unknown_fields", "features", "model",       "outputs", "limits",
                                        "golden",  "files",          "fallback", "lineage"};

/// Looked at before anything else, so that a manifest of a later format is named as such.
base::Result<void> CheckFormat(const Value& document) {
  const Value* format = document.Find("slipway");
  if (format == nullptr || (format->is_integer() && format->integer() == kFormat)) return {};
  return base::Fail(base::Code::kInvalidArgument, "manifest.value",
                    fmt::format("`slipway` must be {}, the version of the format that this program reads, not {}",
                                kFormat, Shown(*format)),
                    schema::Where(format->position()));
}

void ReadIdentity(SectionReader& reader, Manifest& manifest) {
  manifest.name = reader.RequiredText("name", kMaxNameBytes);
  if (auto good = CheckName(manifest.name); !good && !reader.failed()) {
    reader.Reject("name", "manifest.value", fmt::format("`name`: {}", good.error().message));
  }
  const Value* written = reader.Find("version");
  if (written != nullptr && written->is_number()) {
    reader.Reject(
        "version", "manifest.type",
        fmt::format("`version` must be three numbers parted by dots, such as 1.10.0; what is written reads as "
                    "the number {} (YAML drops the last zero of 1.10)",
                    base::ToJson(*written)));
  }
  const std::string text = reader.RequiredText("version", kMaxNameBytes);
  if (auto version = Version::Parse(text); version) {
    manifest.version = *std::move(version);
  } else {
    reader.Reject("version", "manifest.value", fmt::format("`version`: {}", version.error().message));
  }
  manifest.description = reader.Text("description").value_or("");
}

void ReadSchema(SectionReader& reader, const Value& document, Manifest& manifest) {
  manifest.has_inputs = reader.Find("inputs") != nullptr;
  for (const char* key : {"rules", "features"}) {
    const Value* section = reader.Find(key);
    const bool empty = section == nullptr || (section->is_list() && section->list().empty());
    if (manifest.has_inputs || empty) continue;
    reader.Reject(key, "manifest.contradiction",
                  fmt::format("`{}` needs `inputs`: it reads their columns; declare them", key));
  }
  if (reader.failed()) return;
  reader.Put(schema::ParseSchema(document), manifest.schema);
}

void ReadTarget(SectionReader& reader, Manifest& manifest) {
  manifest.target = reader.Text("target", kMaxNameBytes);
  if (!manifest.target) return;
  if (manifest.target->empty()) return reader.Reject("target", "manifest.value", "`target` is empty; name a column");
  const auto is_target = [&](const schema::ColumnRules& column) { return column.field.name == *manifest.target; };
  if (std::ranges::any_of(manifest.schema.columns, is_target)) {
    reader.Reject(
        "target", "manifest.contradiction",
        fmt::format("`target` is \"{}\", which is one of `inputs`: the model would be given its answer; remove "
                    "it from `inputs`",
                    base::Shorten(*manifest.target)));
  }
}

/// The steps themselves are read when the pipeline is compiled; here only what the bundle must know of them.
void ReadFeatures(SectionReader& reader, Manifest& manifest) {
  const base::ValueList* steps = reader.List("features", kMaxSteps);
  if (steps == nullptr) return;
  for (size_t i = 0; i < steps->size(); ++i) {
    const Value& step = (*steps)[i];
    if (!step.is_map()) {
      return reader.RejectAt(
          step, "manifest.type",
          fmt::format("`features[{}]` must be a map such as {{as: name, standardize: column}}, not {}", i,
                      Shown(step)));
    }
    if (const Value* file = step.Find("file"); file != nullptr) {
      const auto name = ReadFileName(*file, fmt::format("`features[{}].file`", i));
      if (!name) return reader.Keep(std::unexpected(name.error()));
    }
    manifest.features.push_back({step});
  }
}

void ReadModel(SectionReader& reader, Manifest& manifest) {
  const Value* section = reader.Find("model");
  if (section == nullptr) return;
  std::vector<std::string> names;
  for (const auto& column : manifest.schema.columns) names.push_back(column.field.name);
  for (const auto& step : manifest.features) {
    if (const Value* as = step.written.Find("as"); as != nullptr && as->is_string()) names.push_back(as->string());
  }
  reader.Put(ParseModel(*section, names), manifest.model);
}

void ReadFiles(SectionReader& reader, Manifest& manifest) {
  const base::ValueList* files = reader.List("files", kMaxFiles);
  if (files == nullptr) return;
  for (size_t i = 0; i < files->size(); ++i) {
    auto name = ReadFileName((*files)[i], fmt::format("`files[{}]`", i));
    if (!name) return reader.Keep(std::unexpected(name.error()));
    const auto twin = [&](const std::string& other) { return FoldedName(other) == FoldedName(*name); };
    if (std::ranges::any_of(manifest.files, twin)) {
      return reader.RejectAt((*files)[i], "manifest.value",
                             fmt::format("`files` names \"{}\" twice", base::Shorten(*name)));
    }
    manifest.files.push_back(*std::move(name));
  }
}

void ReadRest(SectionReader& reader, Manifest& manifest) {
  if (const Value* section = reader.Find("outputs"); section != nullptr) {
    reader.Put(ParseOutputs(*section), manifest.outputs);
  }
  if (const Value* section = reader.Find("limits"); section != nullptr) {
    reader.Put(ParseLimits(*section), manifest.limits);
  }
  if (const Value* section = reader.Find("golden"); section != nullptr) {
    reader.Put(ParseGoldenTolerance(*section), manifest.golden_tolerance);
  }
  if (const Value* section = reader.Find("fallback"); section != nullptr) {
    auto steps = ParseFallback(*section, manifest.outputs);
    reader.Keep(steps ? base::Result<void>() : std::unexpected(steps.error()));
    if (steps) manifest.fallback = *std::move(steps);
  }
  if (const Value* section = reader.Find("lineage"); section != nullptr) {
    reader.Keep(CheckLineage(*section));
    manifest.lineage = *section;
  }
}

base::Result<Manifest> ReadManifest(std::string_view yaml) {
  SLIPWAY_ASSIGN(Value document, ParseYaml(yaml));
  if (document.is_null()) {
    return base::Fail(base::Code::kInvalidArgument, "manifest.missing_key",
                      "the manifest is empty; the first line of a manifest is `slipway: 1`");
  }
  SLIPWAY_TRY(CheckFormat(document));
  SectionReader reader(document, "", kKeys);
  Manifest manifest;
  if (document.Find("slipway") == nullptr) {
    reader.Reject("slipway", "manifest.missing_key",
                  "`slipway` is missing; the first line of a manifest is `slipway: 1`");
  }
  if (!reader.failed()) ReadIdentity(reader, manifest);
  ReadSchema(reader, document, manifest);
  ReadTarget(reader, manifest);
  ReadFeatures(reader, manifest);
  ReadModel(reader, manifest);
  ReadFiles(reader, manifest);
  ReadRest(reader, manifest);
  SLIPWAY_TRY(reader.Finish());
  manifest.written = std::move(document);
  return manifest;
}

}  // namespace

base::Result<Manifest> ParseManifest(std::string_view yaml) {
  auto manifest = ReadManifest(yaml);
  if (!manifest) {
    std::string& where = manifest.error().where;
    where = where.empty() ? std::string(kFileName) : fmt::format("{}:{}", kFileName, where);
  }
  return manifest;
}

}  // namespace slipway::bundle
