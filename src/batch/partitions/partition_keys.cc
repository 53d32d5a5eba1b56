#include "batch/partitions/partition_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace slipway::batch {
namespace {

bool IsOfModel(std::string_view name) {
  return name == "model" || name == "version";
}

base::Result<void> CheckType(const data::Field& field) {
  const bool has_fractions = field.type.scalar == data::ScalarType::kNumber;
  if (field.type.is_scalar() && !has_fractions) return {};
  const std::string_view what = field.type.is_scalar() ? "a number that may have fractions" : "a list of values";
  return base::Fail(
      base::Code::kInvalidArgument, "batch.partition_by",
      fmt::format(
          "--partition-by names {:?}, which is {}; folders are named by texts, whole numbers, truth "
          "values and times: leave it out, declare it an integer or a string in the bundle, or cast it in a query "
          "(--sql)",
          field.name, what));
}

/// Times at midnight are days.
std::optional<std::string> TextOf(const data::Column& column, int64_t row) {
  constexpr std::string_view kMidnight = "T00:00:00Z";
  auto text = CellText(column, row);
  if (text && column.type().scalar == data::ScalarType::kTimestamp && text->ends_with(kMidnight)) {
    text->resize(text->size() - kMidnight.size());
  }
  return text;
}

}  // namespace

bool PartitionKeys::IsOfInput(std::string_view name, const scoring::Scorer& scorer, bool name_model) {
  const auto& answers = scorer.output_fields();
  if (name_model && IsOfModel(name)) return false;
  return std::ranges::find(answers, name, &data::Field::name) == answers.end();
}

base::Result<PartitionKeys> PartitionKeys::Create(const std::vector<std::string>& names, const scoring::Scorer& scorer,
                                                  const CarriedColumns& carried,
                                                  const std::vector<PathColumns>& paths) {
  PartitionKeys keys;
  const auto& answers = scorer.output_fields();
  for (const auto& name : names) {
    const auto column = std::ranges::find(carried.fields, name, &data::Field::name);
    if (column != carried.fields.end()) {
      const bool in_all_paths =
          std::ranges::all_of(paths, [&](const PathColumns& path) { return path.Find(name) != nullptr; });
      if (!in_all_paths) SLIPWAY_TRY(CheckType(*column));
      keys.keys_.push_back({name, From::kCarried, static_cast<size_t>(column - carried.fields.begin()), {}});
      continue;
    }
    const auto answer = std::ranges::find(answers, name, &data::Field::name);
    if (answer != answers.end()) {
      SLIPWAY_TRY(CheckType(*answer));
      keys.keys_.push_back({name, From::kAnswer, static_cast<size_t>(answer - answers.begin()), {}});
      continue;
    }
    const auto& manifest = scorer.manifest();
    keys.keys_.push_back({name, From::kAllRows, 0, name == "model" ? manifest.name : manifest.version.ToString()});
  }
  return keys;
}

std::string PartitionKeys::FolderOf(const ScoredRows& batch, const PathColumns& path, int64_t row) const {
  std::string folder;
  for (const auto& key : keys_) {
    PartitionValue partition{.name = key.name, .value = key.value};
    const PartitionValue* said = key.from == From::kCarried ? path.Find(key.name) : nullptr;
    if (said != nullptr) {
      partition = *said;
    } else if (key.from != From::kAllRows) {
      const auto& table = key.from == From::kCarried ? batch.carried : batch.scores.predictions;
      partition.value = TextOf(table.columns[key.column], row);
    }
    if (!folder.empty()) folder += '/';
    folder += PartitionFolder(partition);
  }
  return folder;
}

}  // namespace slipway::batch
