#include "embed/answer_columns.h"

#include <cstring>
#include <memory>
#include <utility>

#include "embed/arrow_export.h"
#include "scoring/answers.h"

namespace slipway::embed {
namespace {

using data::ScalarType;

constexpr int64_t kMostElements = INT32_MAX;  ///< that offsets of 32 bits can count

data::OutputColumn ErrorColumn() {
  return {.name = "error", .field = 0, .label = -1, .type = {ScalarType::kString, {}}, .single_precision = false};
}

std::vector<data::OutputColumn> AllColumns(const scoring::Scorer& scorer) {
  auto columns = data::OutputColumnsOf(scorer.output_fields());
  columns.push_back(ErrorColumn());
  return columns;
}

struct ArrowWords {
  const char* format;
  const char* name;
};

ArrowWords WordsOf(const data::OutputColumn& column) {
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      return {"b", "bool"};
    case ScalarType::kInteger:
      return {"l", "int64"};
    case ScalarType::kNumber:
      return column.single_precision ? ArrowWords{"f", "float32"} : ArrowWords{"g", "float64"};
    case ScalarType::kTimestamp:
      return {"tsu:UTC", "timestamp[us, UTC]"};
    case ScalarType::kString:
      break;
  }
  return {"u", "utf8"};
}

size_t WidthOf(const data::OutputColumn& column) {
  return column.type.scalar == ScalarType::kNumber && column.single_precision ? sizeof(float) : sizeof(double);
}

}  // namespace

AnswerColumn::AnswerColumn(const data::OutputColumn& output) : output_(output), text_offsets_{0} {
  list_offsets_.assign(output.type.shape.size(), {0});
}

base::Result<void> AnswerColumn::Append(const data::Column& column) {
  const auto view = column.view();
  const int64_t begin = rows_;
  rows_ += view.rows;
  MarkRows(view);
  if (!list_offsets_.empty()) {
    for (int64_t row = 0; row < view.rows; ++row) SLIPWAY_TRY(AppendRow(view, row));
    return {};
  }
  const int64_t label = output_.label > 0 ? output_.label : 0;
  auto appended = AppendValues(view, label, view.rows, view.width);
  if (!appended) rows_ = begin;
  return appended;
}

void AnswerColumn::MarkRows(const data::ColumnView& view) {
  const int64_t begin = rows_ - view.rows;
  if (!validity_.empty()) validity_.resize(static_cast<size_t>((rows_ + 7) >> 3), 0xFF);
  if (view.validity == nullptr) return;
  for (int64_t row = 0; row < view.rows; ++row) {
    if (!view.IsValid(row)) MarkNull(begin + row);
  }
}

void AnswerColumn::MarkNull(int64_t row) {
  if (validity_.empty()) validity_.assign(static_cast<size_t>((rows_ + 7) >> 3), 0xFF);
  validity_[static_cast<size_t>(row >> 3)] &= static_cast<uint8_t>(~(1u << (row & 7)));
  ++null_count_;
}

void AnswerColumn::AppendNulls(int64_t rows) {
  rows_ += rows;
  if (!validity_.empty()) validity_.resize(static_cast<size_t>((rows_ + 7) >> 3), 0xFF);
  for (int64_t row = rows_ - rows; row < rows_; ++row) MarkNull(row);
  text_offsets_.resize(text_offsets_.size() + static_cast<size_t>(rows), text_offsets_.back());
}

base::Result<void> AnswerColumn::AppendText(std::string_view text) {
  SLIPWAY_TRY(AppendBytes(text));
  ++rows_;
  if (!validity_.empty()) validity_.resize(static_cast<size_t>((rows_ + 7) >> 3), 0xFF);
  return {};
}

/// A list of lists, flattened: each level has as many lists as the one before has members.
base::Result<void> AnswerColumn::AppendRow(const data::ColumnView& view, int64_t row) {
  const size_t rank = list_offsets_.size();
  if (!view.IsValid(row)) {
    list_offsets_[0].push_back(list_offsets_[0].back());
    return {};
  }
  const int64_t* shape =
      view.row_shapes != nullptr ? view.row_shapes + row * static_cast<int64_t>(rank) : output_.type.shape.data();
  int64_t lists = 1;
  for (size_t level = 0; level < rank; ++level) {
    auto& offsets = list_offsets_[level];
    if (int64_t{offsets.back()} + lists * shape[level] > kMostElements) return CheckElements(kMostElements);
    for (int64_t i = 0; i < lists; ++i) offsets.push_back(offsets.back() + static_cast<int32_t>(shape[level]));
    lists *= shape[level];
  }
  return AppendValues(view, view.row_offsets != nullptr ? view.row_offsets[row] : row * view.width, lists, 1);
}

base::Result<void> AnswerColumn::CheckElements(int64_t added) const {
  if (elements_ + added <= kMostElements) return {};
  return base::Fail(base::Code::kResourceExhausted, "arrow.too_large",
                    "the answers of these rows take more than 2 GiB a column; score fewer rows at a time",
                    output_.name);
}

/// Every `step`-th element from `first` on. Null rows hold zeros, so they are copied like all others.
base::Result<void> AnswerColumn::AppendValues(const data::ColumnView& view, int64_t first, int64_t count,
                                              int64_t step) {
  if (!list_offsets_.empty()) SLIPWAY_TRY(CheckElements(count));
  const size_t before = values_.size();
  switch (view.type) {
    case ScalarType::kBoolean:
      for (int64_t i = 0; i < count; ++i) AppendBoolean(view.booleans()[first + i * step] != 0);
      return {};
    case ScalarType::kString:
      for (int64_t i = 0; i < count; ++i) SLIPWAY_TRY(AppendBytes(view.string(first + i * step)));
      return {};
    default:
      break;
  }
  values_.resize(before + static_cast<size_t>(count) * WidthOf(output_));
  elements_ += count;
  if (count == 0) return {};
  if (WidthOf(output_) == sizeof(float)) {
    auto* to = reinterpret_cast<float*>(values_.data() + before);
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(view.numbers()[first + i * step]);
  } else if (step == 1) {
    std::memcpy(values_.data() + before, static_cast<const int64_t*>(view.values) + first,
                static_cast<size_t>(count) * sizeof(int64_t));
  } else {
    auto* to = reinterpret_cast<int64_t*>(values_.data() + before);
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(to + i, static_cast<const int64_t*>(view.values) + first + i * step, sizeof(int64_t));
    }
  }
  return {};
}

void AnswerColumn::AppendBoolean(bool value) {
  if ((elements_ & 7) == 0) values_.push_back(0);
  if (value) values_.back() = static_cast<char>(values_.back() | 1 << (elements_ & 7));
  ++elements_;
}

base::Result<void> AnswerColumn::AppendBytes(std::string_view text) {
  if (static_cast<int64_t>(values_.size() + text.size()) > kMostElements) return CheckElements(kMostElements + 1);
  values_.insert(values_.end(), text.begin(), text.end());
  text_offsets_.push_back(static_cast<int32_t>(values_.size()));
  ++elements_;
  return {};
}

/// The memory behind an exported column. Every level of a list is an array of its own, which may be moved away.
struct ExportedArray {
  static void Export(std::shared_ptr<AnswerColumn> column, size_t level, ArrowArray* out) {
    auto& from = *column;
    const bool is_list = level < from.list_offsets_.size();
    ArrowNode node;
    node.length = level == 0 ? from.rows_ : from.list_offsets_[level - 1].back();
    node.null_count = level == 0 ? from.null_count_ : 0;
    node.buffers = {level == 0 && !from.validity_.empty() ? from.validity_.data() : nullptr};
    from.values_.reserve(1);  // an empty buffer has an address too
    if (is_list) {
      node.buffers.push_back(from.list_offsets_[level].data());
      node.children.resize(1);
      Export(column, level + 1, node.children[0].get());
    } else if (from.output_.type.scalar == ScalarType::kString) {
      node.buffers.push_back(from.text_offsets_.data());
      node.buffers.push_back(from.values_.data());
    } else {
      node.buffers.push_back(from.values_.data());
    }
    node.memory = std::move(column);
    ExportNode(std::move(node), out);
  }
};

void AnswerColumn::Export(ArrowArray* out) {
  ExportedArray::Export(std::make_shared<AnswerColumn>(std::move(*this)), 0, out);
}

AnswerColumns::AnswerColumns(const scoring::Scorer& scorer)
    : outputs_(data::OutputColumnsOf(scorer.output_fields())), errors_(ErrorColumn()) {
  columns_.reserve(outputs_.size());
  for (const auto& output : outputs_) columns_.emplace_back(output);
}

base::Result<void> AnswerColumns::Append(const scoring::Scores& scores) {
  const auto& table = scores.predictions;
  for (size_t i = 0; i < columns_.size(); ++i) {
    SLIPWAY_TRY(columns_[i].Append(table.columns[outputs_[i].field]));
  }
  rows_ += table.rows;
  const auto& report = scores.report;
  if (report.rejected_rows == 0) {
    errors_.AppendNulls(table.rows);
    return {};
  }
  size_t at = 0;
  for (int64_t row = 0; row < table.rows; ++row) {
    if (!report.rejected[static_cast<size_t>(row)]) {
      errors_.AppendNulls(1);
      continue;
    }
    const auto violations = scoring::ViolationsOf(report.violations, row, at);
    SLIPWAY_TRY(errors_.AppendText(base::ToJson(scoring::ErrorOf(violations))));
  }
  return {};
}

void AnswerColumns::Export(ArrowArray* out) {
  ArrowNode node;
  node.length = rows_;
  node.buffers = {nullptr};
  node.children.resize(columns_.size() + 1);
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].Export(node.children[i].get());
  errors_.Export(node.children.back().get());
  ExportNode(std::move(node), out);
}

void AnswerColumns::ExportSchema(const scoring::Scorer& scorer, ArrowSchema* out) {
  SchemaNode table{.format = "+s", .name = "", .flags = 0, .children = {}};
  for (const auto& column : AllColumns(scorer)) {
    SchemaNode node{.format = WordsOf(column).format, .name = column.name, .children = {}};
    for (size_t level = column.type.shape.size(); level > 0; --level) {
      SchemaNode list{.format = "+l", .name = column.name, .children = {}};
      node.name = "item";
      list.children.push_back(std::move(node));
      node = std::move(list);
    }
    table.children.push_back(std::move(node));
  }
  ExportNode(std::move(table), out);
}

base::Value AnswerColumns::Describe(const scoring::Scorer& scorer) {
  auto list = base::Value::List();
  for (const auto& column : AllColumns(scorer)) {
    list.Add(base::Value::Map()
                 .Set("name", column.name)
                 .Set("type", WordsOf(column).name)
                 .Set("lists", static_cast<int64_t>(column.type.shape.size())));
  }
  return list;
}

}  // namespace slipway::embed
