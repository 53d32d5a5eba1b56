#include "tables/duckdb/row_appender.h"

namespace slipway::tables::duckdb {

void RowAppender::AddColumn(const Library& library, _duckdb_logical_type* type, int target) {
  const int zone = target < 0 ? 0 : layout_.fields()[static_cast<size_t>(target)].zone_minutes;
  readers_.emplace_back(library, type, zone);
  targets_.push_back(target);
}

// Columns that can be copied are filled ahead, which the builder takes as given.
void RowAppender::Append(int64_t begin, int64_t end, const std::vector<std::string>& unknown, data::Decoded& out) {
  slow_.clear();
  int filled = 0;
  for (size_t i = 0; i < readers_.size(); ++i) {
    if (targets_[i] < 0) continue;
    const auto field = static_cast<size_t>(targets_[i]);
    if (readers_[i].AppendTo(layout_.fields()[field], begin, end - begin, out.table.columns[field])) {
      ++filled;
    } else {
      slow_.push_back(i);
    }
  }
  if (filled == layout_.size() && unknown.empty()) {
    out.table.rows += end - begin;
    return;
  }
  data::RowBuilder builder(layout_, out);
  for (int64_t row = begin; row < end; ++row) {
    builder.BeginRow();
    for (const size_t i : slow_) readers_[i].Deliver(row, targets_[i], builder);
    for (const auto& name : unknown) builder.Unknown(name);
    builder.EndRow();
  }
}

}  // namespace slipway::tables::duckdb
