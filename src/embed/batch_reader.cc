#include "embed/batch_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/text.h"

namespace slipway::embed {
namespace {

/// Bounds what a block takes once decoded.
constexpr int64_t kBlockBytes = int64_t{64} << 20;

std::unexpected<base::Error> Refuse(std::string reason, std::string message, std::string where = {}) {
  return base::Fail(base::Code::kInvalidArgument, std::move(reason), std::move(message), std::move(where));
}

std::unexpected<base::Error> Malformed(std::string_view what) {
  return Refuse("arrow.malformed", fmt::format("this is no record batch: {}", what));
}

/// A struct array without nulls, whose children are as many as its schema says.
base::Result<void> CheckStruct(const ArrowSchema& schema, const ArrowArray& batch) {
  if (schema.release == nullptr || batch.release == nullptr) return Malformed("it was released already");
  if (schema.format == nullptr || std::string_view(schema.format) != "+s") {
    return Malformed(fmt::format("its type is {}; pass a table, a struct with a child for each column",
                                 ParseFormat(schema.format == nullptr ? "" : schema.format).name));
  }
  constexpr int64_t kMost = int64_t{1} << 48;
  if (batch.length < 0 || batch.offset < 0 || batch.length > kMost || batch.offset > kMost) {
    return Malformed("its length or offset is out of bounds");
  }
  if (schema.n_children < 0 || schema.n_children != batch.n_children) {
    return Malformed(fmt::format("{} columns by its schema, {} by itself", schema.n_children, batch.n_children));
  }
  if (schema.n_children > 0 && (schema.children == nullptr || batch.children == nullptr)) {
    return Malformed("its columns are missing");
  }
  const auto* bits = batch.n_buffers > 0 && batch.buffers != nullptr && batch.null_count != 0
                         ? static_cast<const uint8_t*>(batch.buffers[0])
                         : nullptr;
  for (int64_t row = batch.offset; bits != nullptr && row < batch.offset + batch.length; ++row) {
    if ((bits[row >> 3] >> (row & 7) & 1) == 0) return Malformed("a row is null as a whole; fill or drop it");
  }
  return {};
}

base::Result<std::vector<std::string>> NamesOf(const ArrowSchema& schema, const ArrowArray& batch) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (schema.children[i] == nullptr || batch.children[i] == nullptr) return Malformed("a column is missing");
    names.emplace_back(schema.children[i]->name == nullptr ? "" : schema.children[i]->name);
  }
  return names;
}

}  // namespace

base::Result<void> CheckColumns(const std::vector<std::string>& names, const schema::Schema& schema,
                                const data::Layout& layout, const ColumnPolicy& policy) {
  std::unordered_set<std::string_view> seen;
  for (const auto& name : names) {
    const bool is_input = layout.Find(name) >= 0;
    if (!seen.insert(name).second && is_input) {
      return Refuse("arrow.duplicate_column", fmt::format("the table has two columns {:?}; drop one", name), name);
    }
    const bool is_known = std::ranges::find(policy.known, name) != policy.known.end();
    if (is_input || is_known || policy.ignore_unknown || layout.unknown_fields() == data::UnknownFields::kIgnore) {
      continue;
    }
    return Refuse("arrow.unknown_column",
                  fmt::format("the table has a column {:?}, which is no input of the model{}: keep carries it along, "
                              "ignore_unknown leaves it out",
                              base::Shorten(name), base::DidYouMean(name, layout.names())),
                  name);
  }
  for (const auto& column : schema.columns) {
    const auto& name = column.field.name;
    if (column.may_be_absent() || seen.contains(name)) continue;
    return Refuse("arrow.missing_column",
                  fmt::format("the table has no column {:?}, which the model needs{}; add it", name,
                              base::DidYouMean(name, names)),
                  name);
  }
  return {};
}

base::Result<BatchReader> BatchReader::Create(const ArrowSchema& arrow_schema, const ArrowArray& batch,
                                              const schema::Schema& schema, const data::Layout& layout,
                                              const ColumnPolicy& policy) {
  SLIPWAY_TRY(CheckStruct(arrow_schema, batch));
  SLIPWAY_ASSIGN(const auto names, NamesOf(arrow_schema, batch));
  SLIPWAY_TRY(CheckColumns(names, schema, layout, policy));
  BatchReader reader(layout);
  reader.rows_ = batch.length;
  reader.offset_ = batch.offset;
  for (size_t i = 0; i < names.size(); ++i) {
    const int field = layout.Find(names[i]);
    if (field < 0) continue;
    const int zone = layout.fields()[static_cast<size_t>(field)].zone_minutes;
    SLIPWAY_ASSIGN(auto column, ColumnReader::Create(*arrow_schema.children[i], *batch.children[i], names[i], zone));
    if (column.rows() < batch.offset + batch.length) {
      return Refuse("arrow.malformed", "this Arrow array contradicts itself: a column is shorter than its table",
                    names[i]);
    }
    reader.inputs_.push_back({field, std::move(column)});
  }
  return reader;
}

int64_t BatchReader::BlockRows(int64_t first, int64_t most) const {
  int64_t count = std::min(most, rows_ - first);
  while (count > 1) {
    int64_t bytes = 0;
    for (const auto& input : inputs_) bytes += input.column.BytesOf(offset_ + first, count);
    if (bytes <= kBlockBytes) break;
    count /= 2;
  }
  return count;
}

void BatchReader::Read(int64_t first, int64_t count, data::Decoded& out) const {
  out.Clear();
  data::RowBuilder builder(layout_, out);
  for (const auto& [field, column] : inputs_) {
    const auto index = static_cast<size_t>(field);
    if (column.AppendTo(layout_.fields()[index], offset_ + first, count, out.table.columns[index])) continue;
    for (int64_t row = 0; row < count; ++row) {
      builder.MoveTo(row);
      column.Deliver(offset_ + first + row, field, builder);
    }
  }
  builder.EndColumns(count);
}

}  // namespace slipway::embed
