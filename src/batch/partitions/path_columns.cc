#include "batch/partitions/path_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "data/cell.h"

namespace slipway::batch {
namespace {

using data::Cell;
using data::ScalarType;

Cell CellOf(const data::Column& column, int64_t row) {
  const auto view = column.view();
  switch (view.type) {
    case ScalarType::kBoolean:
      return Cell::Boolean(view.booleans()[row] != 0);
    case ScalarType::kInteger:
      return Cell::Integer(view.integers()[row]);
    case ScalarType::kNumber:
      return Cell::Number(view.numbers()[row]);
    case ScalarType::kTimestamp:
      return Cell::Timestamp(view.integers()[row]);
    case ScalarType::kString:
      break;
  }
  return Cell::Text(column.string(row));
}

}  // namespace

std::optional<std::string> CellText(const data::Column& column, int64_t row) {
  if (!column.IsValid(row)) return std::nullopt;
  data::Field text;
  text.type.scalar = ScalarType::kString;
  text.as_text = true;
  Cell cell = CellOf(column, row);
  return data::Convert(text, cell) ? std::string(cell.text) : std::string();
}

base::Result<PathColumns> PathColumns::Create(const std::vector<PartitionValue>& partitions, const data::Layout& layout,
                                              const std::string& path) {
  PathColumns made;
  data::Decoded decoded(layout);
  data::RowBuilder builder(layout, decoded);
  builder.BeginRow();
  for (const auto& partition : partitions) {
    const int field = layout.Find(partition.name);
    if (field < 0) continue;
    if (made.Find(partition.name) != nullptr) {
      return base::Fail(base::Code::kInvalidArgument, "batch.partitions",
                        fmt::format("two folders of the path give the column {:?}; rename one, or leave the folders "
                                    "alone with --no-partition-columns",
                                    partition.name),
                        path);
    }
    partition.value ? builder.SetLexeme(field, *partition.value) : builder.SetNull(field);
    made.columns_.push_back({.field = field,
                             .partition = partition,
                             .value = data::Column(layout.fields()[static_cast<size_t>(field)].type),
                             .text = {},
                             .personal = layout.fields()[static_cast<size_t>(field)].personal});
  }
  builder.EndRow();
  if (!decoded.violations.empty()) {
    return base::Fail(base::Code::kInvalidArgument, "batch.partition_value",
                      fmt::format("a folder of the path cannot be read as the column it names: {}; rename the folder, "
                                  "or leave the folders alone with --no-partition-columns",
                                  decoded.violations.front().message),
                      path);
  }
  for (auto& column : made.columns_) {
    column.value.AppendFrom(decoded.table.columns[static_cast<size_t>(column.field)], 0);
    column.text = CellText(column.value, 0);
  }
  return made;
}

const PartitionValue* PathColumns::Find(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name, [](const auto& column) { return column.partition.name; });
  return found == columns_.end() ? nullptr : &found->partition;
}

/// Of texts, which nobody declared numbers, 01 and 1 are the same.
bool PathColumns::IsSame(const PathColumn& column, const data::Column& own, int64_t row) {
  const auto ours = CellText(own, row);
  const auto& paths = column.text;
  if (!ours || !paths || *ours == *paths) return ours == paths;
  const auto a = base::ParseDouble(*ours), b = base::ParseDouble(*paths);
  return own.type().scalar == ScalarType::kString && a && b && *a == *b;
}

data::Violation PathColumns::Conflict(const PathColumn& column, const data::Column& own, int64_t row) {
  data::Violation violation;
  violation.row = row;
  violation.field = column.field;
  violation.code = data::ViolationCode::kDuplicateField;
  violation.path = column.partition.name;
  violation.rule = "the value of its path";
  std::string values = "has one value in the file and another in the file's path";
  if (!column.personal) {
    const auto text = base::Shorten(CellText(own, row).value_or(""));
    violation.value = text;
    values = fmt::format("is {:?} in the file and {:?} in the file's path", text,
                         base::Shorten(column.partition.value.value_or(std::string(kMissingPartition))));
  }
  violation.message = fmt::format("{} {}; move the row, or take the file's values with --no-partition-columns",
                                  column.partition.name, values);
  return violation;
}

void PathColumns::Fill(data::Decoded& rows) const {
  std::vector<data::Violation> conflicts;
  for (const auto& path : columns_) {
    const auto field = static_cast<size_t>(path.field);
    auto& own = rows.table.columns[field];
    data::Column filled(own.type());
    for (int64_t row = 0; row < rows.table.rows; ++row) {
      if (!own.IsValid(row)) {
        filled.AppendFrom(path.value, 0);
        continue;
      }
      filled.AppendFrom(own, row);
      if (!IsSame(path, own, row)) conflicts.push_back(Conflict(path, own, row));
    }
    own = std::move(filled);
    rows.absent[field].clear();
  }
  if (conflicts.empty()) return;
  std::ranges::move(conflicts, std::back_inserter(rows.violations));
  std::ranges::stable_sort(rows.violations, [](const data::Violation& a, const data::Violation& b) {
    return a.row != b.row ? a.row < b.row : a.field < b.field;
  });
}

}  // namespace slipway::batch
