#include "batch/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"

namespace slipway::batch {
namespace {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): numbers that follow each
/// other give numbers that look like chance.
uint64_t Scatter(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

bool IsSampled(int64_t file, int64_t row, double share) {
  const uint64_t chance = Scatter(Scatter(static_cast<uint64_t>(file)) ^ static_cast<uint64_t>(row));
  return std::ldexp(static_cast<double>(chance >> 11), -53) < share;
}

}  // namespace

RowFilter::RowFilter(std::optional<expr::Program> where, double sample, const data::Layout& layout)
    : where_(std::move(where)), sample_(sample), names_(layout.names()) {}

base::Result<RowFilter> RowFilter::Create(const std::string& where, double sample, const data::Layout& layout) {
  if (where.empty()) return RowFilter(std::nullopt, sample, layout);
  std::vector<expr::Symbol> symbols;
  for (const auto& field : layout.fields()) {
    symbols.push_back({field.name, field.type, field.zone_minutes, field.labels});
  }
  auto program = expr::Program::Compile(where, symbols);
  if (!program) {
    program.error().where = "--where";
    return std::unexpected(std::move(program).error());
  }
  if (program->type() != data::ScalarType::kBoolean) {
    return base::Fail(base::Code::kInvalidArgument, "expr.type",
                      fmt::format("{} gives a {}, not true or false: write a comparison", base::Shorten(where, 256),
                                  data::ScalarTypeName(program->type())),
                      "--where");
  }
  return RowFilter(std::move(*program), sample, layout);
}

std::vector<std::string> RowFilter::Names() const {
  std::vector<std::string> names;
  if (!where_) return names;
  for (const int input : where_->inputs()) names.push_back(names_[static_cast<size_t>(input)]);
  return names;
}

void RowFilter::DropUnless(data::Decoded& rows, std::vector<uint8_t>& kept, expr::Workspace& workspace) const {
  std::vector<data::ColumnView> columns;
  for (const auto& column : rows.table.columns) columns.push_back(column.view());
  const auto holds = where_->Evaluate(columns, rows.table.rows, workspace);
  for (int64_t row = 0; row < rows.table.rows; ++row) {
    if (!holds.IsValid(row) || holds.booleans()[row] == 0) kept[static_cast<size_t>(row)] = 0;
  }
}

int64_t RowFilter::Apply(int64_t file, int64_t first_row, data::Decoded& rows, std::vector<int64_t>& numbers,
                         expr::Workspace& workspace) const {
  const int64_t count = rows.table.rows;
  std::vector<uint8_t> kept(static_cast<size_t>(count), 1);
  if (where_) {
    DropUnless(rows, kept, workspace);
    const auto& inputs = where_->inputs();
    for (const auto& violation : rows.violations) {
      const bool tells_nothing = violation.code == data::ViolationCode::kMalformed ||
                                 std::ranges::find(inputs, violation.field) != inputs.end();
      if (tells_nothing) kept[static_cast<size_t>(violation.row)] = 1;
    }
  }
  numbers.clear();
  for (int64_t row = 0; row < count; ++row) {
    auto& keep = kept[static_cast<size_t>(row)];
    keep = keep != 0 && (sample_ >= 1 || IsSampled(file, first_row + row, sample_));
    if (keep != 0) numbers.push_back(first_row + row);
  }
  const auto left = static_cast<int64_t>(numbers.size());
  if (left < count) rows.Keep(kept);
  return count - left;
}

}  // namespace slipway::batch
