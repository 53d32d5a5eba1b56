#include "cli/packing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <map>
#include <vector>

#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/golden.h"
#include "bundle/lineage.h"
#include "cli/engines.h"
#include "cli/folder_bundle.h"
#include "cli/program_version.h"
#include "cli/table_options.h"
#include "data/json_rows.h"
#include "scoring/golden_check.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

/// The rows of a table as JSON records: what was there, not what the schema would make of it. Personal columns stay
/// out.
class RecordWriter {
 public:
  explicit RecordWriter(const data::Layout& layout) {
    for (const auto& field : layout.fields())
      encoders_.emplace_back(std::vector<data::Field>{field}), personal_.push_back(field.personal);
  }

  std::string Write(const data::Decoded& rows, int64_t row) const {
    std::string record = "{";
    for (size_t c = 0; c < encoders_.size(); ++c) {
      if (personal_[c] || rows.IsAbsent(static_cast<int>(c), row)) continue;
      data::Table one;  // a view of one column would do, but encoders take tables
      one.columns.emplace_back(rows.table.columns[c].type());
      one.columns[0].AppendFrom(rows.table.columns[c], row);
      one.rows = 1;
      if (record.size() > 1) record += ',';
      encoders_[c].AppendMembers(one, 0, record);
    }
    return record + "}";
  }

 private:
  std::vector<data::JsonRowEncoder> encoders_;
  std::vector<bool> personal_;
};

base::Result<std::vector<std::string>> ReadRecords(const PackOptions& options, const scoring::Scorer& scorer) {
  // Other columns of the table, such as the label, are no part of a record.
  const data::Layout layout(scorer.layout().fields(), data::UnknownFields::kIgnore);
  SLIPWAY_ASSIGN(const auto format, TableFormat(options.golden, options.golden_format, tables::Format::kCsv));
  SLIPWAY_ASSIGN(const auto source, tables::OpenSource(options.golden, layout, format));
  const RecordWriter writer(layout);
  std::vector<std::string> records;
  data::Decoded batch(layout);
  while (static_cast<int64_t>(records.size()) < options.golden_rows) {
    SLIPWAY_ASSIGN(
        const bool more,
        source->Next(batch, std::min<int64_t>(kBatchRows, options.golden_rows - static_cast<int64_t>(records.size()))));
    if (!more) break;
    for (int64_t row = 0; row < batch.table.rows; ++row) records.push_back(writer.Write(batch, row));
  }
  return records;
}

/// The manifest's lineage, and what can be found out: the code's commit, the data that was fitted on, the tools, and
/// what the model file tells of its trainer.
base::Value Lineage(const bundle::Bundle& bundle, const scoring::Scorer& scorer, const std::string& folder) {
  auto found = base::Value::Map();
  if (auto code = bundle::CollectGitLineage(folder); !code.is_null()) found.Set("code", std::move(code));
  if (const auto* data = bundle.fitted().Find("data")) found.Set("data", base::Value::List().Add(*data));
  auto model = base::Value::Map();
  for (const auto key : {"producer", "producer_version", "operator_sets", "metadata"}) {
    if (const auto* value = scorer.model().details.Find(key)) model.Set(key, *value);
  }
  found.Set("model", std::move(model));
  found.Set("tools", base::Value::Map().Set("slipway", kProgramVersion));
  return bundle::MergeLineage(bundle.manifest().lineage, found);
}

/// A copy of the folder's files with the model under the name that the manifest gives it.
base::Result<void> Stage(const PackOptions& options, const bundle::Bundle& folder, const fs::path& stage) {
  for (const auto& name : folder.Files()) {
    if (name == folder.manifest().model.file && !options.model.empty()) continue;
    if (name == bundle::kLineageFile || (name == bundle::kGoldenFile && !options.golden.empty())) continue;
    SLIPWAY_ASSIGN(const auto bytes, folder.Read(name));
    fs::create_directories((stage / name).parent_path());
    SLIPWAY_TRY(base::WriteFileAtomically(stage / name, bytes));
  }
  const fs::path model =
      options.model.empty() ? fs::path(options.folder) / folder.manifest().model.file : fs::path(options.model);
  auto bytes = base::ReadFile(model);
  if (!bytes) {
    bytes.error().message += "; name the model with --model FILE, or put it where slipway.yaml says";
    return std::unexpected(std::move(bytes).error());
  }
  const auto target = stage / folder.manifest().model.file;
  fs::create_directories(target.parent_path());
  SLIPWAY_TRY(base::WriteFileAtomically(target, *bytes));
  // Weights that lie beside the model come along under the names it has for them; the engine judges those names.
  for (const auto& name : ExternalFiles(folder.manifest(), *bytes)) {
    const auto canonical = fs::path(name).lexically_normal();
    if (canonical.is_absolute() || canonical.empty() || *canonical.begin() == "..") continue;
    auto weights = base::ReadFile(model.parent_path() / canonical, bundle::OpenLimits().file_bytes);
    if (!weights) continue;
    fs::create_directories((target.parent_path() / canonical).parent_path());
    SLIPWAY_TRY(base::WriteFileAtomically(target.parent_path() / canonical, *weights));
  }
  return {};
}

}  // namespace

base::Value Packed::ToValue() const {
  return base::Value::Map()
      .Set("name", name)
      .Set("version", version)
      .Set("output", output)
      .Set("digest", digest)
      .Set("files", files)
      .Set("golden_records", golden)
      .Set("golden_rejected", golden_rejected);
}

base::Result<Packed> Pack(const PackOptions& options, const Console&) {
  SLIPWAY_ASSIGN(const auto folder, OpenFolder(options.folder));
  SLIPWAY_ASSIGN(const auto stage, base::TemporaryFolder::Create());
  SLIPWAY_TRY(Stage(options, folder, stage.path()));
  SLIPWAY_ASSIGN(const auto loaded, LoadBundle(stage.path().string()));
  const auto& [bundle, scorer] = loaded;

  std::map<std::string, std::string> files;
  auto take = [&](const std::string& name) -> base::Result<void> {
    SLIPWAY_ASSIGN(const auto bytes, bundle.Read(name));
    files.emplace(name, bytes);
    return {};
  };
  for (const auto& name : bundle.Files()) SLIPWAY_TRY(take(name));
  for (const auto& name : scorer->model().external_files) {
    if (!files.contains(name)) SLIPWAY_TRY(take(name));
  }
  files[std::string(bundle::kLineageFile)] =
      base::ToJson(Lineage(bundle, *scorer, options.folder), {.indent = 2, .trailing_newline = true});

  Packed packed{.name = bundle.manifest().name, .version = bundle.manifest().version.ToString()};
  std::vector<std::string> records;
  if (!options.golden.empty()) {
    SLIPWAY_ASSIGN(records, ReadRecords(options, *scorer));
  } else if (files.contains(std::string(bundle::kGoldenFile))) {
    SLIPWAY_ASSIGN(const auto old, bundle::ParseGolden(files[std::string(bundle::kGoldenFile)]));
    for (const auto& record : old.records) records.push_back(record.record);
  }
  if (!records.empty()) {
    SLIPWAY_ASSIGN(const auto golden, scoring::MakeGolden(*scorer, records));
    for (const auto& record : golden.records) {
      if (!record.prediction.empty()) continue;
      if (++packed.golden_rejected == 1) packed.golden_reasons = fmt::format("{}", fmt::join(record.violations, ", "));
    }
    packed.golden = static_cast<int64_t>(golden.records.size());
    for (const auto& column : scorer->schema().columns) {
      if (column.field.personal && !column.may_be_absent()) packed.personal.push_back(column.field.name);
    }
    files[std::string(bundle::kGoldenFile)] = bundle::FormatGolden(golden);
  }
  packed.output = options.output.empty() ? fmt::format("{}-{}.slipway", packed.name, packed.version) : options.output;
  packed.files = static_cast<int64_t>(files.size());
  SLIPWAY_ASSIGN(packed.digest, bundle::WriteArchive(packed.output, files));
  return packed;
}

}  // namespace slipway::cli
