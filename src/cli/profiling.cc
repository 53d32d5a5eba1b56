#include "cli/profiling.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "base/value.h"
#include "cli/table_options.h"
#include "tables/input_file.h"
#include "tables/json_file.h"

namespace slipway::cli {
namespace {

using data::ScalarType;

void AddCell(const data::ColumnView& view, int64_t row, bool lexeme, profile::ColumnProfile& column) {
  if (!view.IsValid(row)) {
    column.AddNull();
    return;
  }
  switch (view.type) {
    case ScalarType::kBoolean:
      column.AddBoolean(view.booleans()[row] != 0);
      break;
    case ScalarType::kInteger:
      column.AddInteger(view.integers()[row]);
      break;
    case ScalarType::kNumber:
      column.AddNumber(view.numbers()[row]);
      break;
    case ScalarType::kTimestamp:
      column.AddTimestamp(view.integers()[row]);
      break;
    case ScalarType::kString:
      lexeme ? column.AddLexeme(view.string(row)) : column.AddText(view.string(row));
      break;
  }
}

/// Numbers in a row's list; -1 when it holds something else.
int64_t ListLength(const data::ColumnView& view, int64_t row) {
  if (view.type != ScalarType::kNumber && view.type != ScalarType::kInteger) return -1;
  return view.width >= 0 ? view.width : view.row_offsets[row + 1] - view.row_offsets[row];
}

void AddRow(const data::Decoded& batch, const data::Layout& layout, int64_t row, bool lexemes, ProfiledTable& table) {
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const auto view = batch.table.columns[c].view();
    if (layout.fields()[c].type.is_scalar()) {
      AddCell(view, row, lexemes, table.columns[c]);
    } else {
      view.IsValid(row) ? table.columns[c].AddList(ListLength(view, row)) : table.columns[c].AddNull();
    }
  }
}

/// Cells and rows that could not be read. Returns, for each of the first `rows` rows, whether it is of use at all.
std::vector<bool> AddFaults(const data::Decoded& batch, int64_t rows, ProfiledTable& table) {
  std::vector<bool> readable(static_cast<size_t>(rows), true);
  for (const auto& violation : batch.violations) {
    if (violation.row >= rows) break;
    if (violation.field >= 0) table.columns[static_cast<size_t>(violation.field)].AddFault(violation.message);
    if (violation.code != data::ViolationCode::kMalformed) continue;
    readable[static_cast<size_t>(violation.row)] = false;
    if (++table.malformed == 1) table.malformed_example = violation.message;
  }
  return readable;
}

/// A header that is one cell with separators in it was written with another delimiter.
base::Result<void> CheckDelimiter(const std::vector<tables::StoredColumn>& columns, const std::string& path,
                                  const tables::TableOptions& options) {
  if (columns.size() != 1) return {};
  const auto& name = columns[0].name;
  const auto other = [&](char delimiter, tables::Format format, std::string_view words) -> base::Result<void> {
    if (options.format == format || name.find(delimiter) == std::string::npos) return {};
    return base::Fail(base::Code::kInvalidArgument, "csv.header",
                      fmt::format("the header is a single column, {:?}: its cells seem to be separated by {}; say "
                                  "--format {}",
                                  base::Shorten(name), words, tables::FormatName(format)),
                      path);
  };
  SLIPWAY_TRY(other(';', tables::Format::kSsv, "semicolons"));
  SLIPWAY_TRY(other('\t', tables::Format::kTsv, "tabs"));
  return other(',', tables::Format::kCsv, "commas");
}

/// CSV and Parquet: through the same readers as everything else, CSV as untyped text.
base::Result<ProfiledTable> ProfileColumns(const std::string& path, const tables::TableOptions& options,
                                           int64_t max_rows, const Console& console) {
  SLIPWAY_ASSIGN(const auto found, tables::ReadColumns(path, options));
  SLIPWAY_TRY(CheckDelimiter(found, path, options));
  const bool lexemes = options.format != tables::Format::kParquet;
  ProfiledTable result;
  std::vector<data::Field> fields;
  for (const auto& column : found) {
    data::Field field;
    field.name = column.name;
    field.type = column.type.value_or(data::DataType{ScalarType::kString, {}});
    field.as_text = !column.type.has_value() && column.stored_type.empty();
    fields.push_back(std::move(field));
    result.columns.emplace_back(column.name);
  }
  const data::Layout layout(std::move(fields), data::UnknownFields::kIgnore);
  SLIPWAY_ASSIGN(const auto source, tables::OpenSource(path, layout, options));
  const auto total = source->progress().total;
  Progress progress(console, "reading", total > 0 ? std::optional(total) : std::nullopt);
  data::Decoded batch(layout);
  while (true) {
    SLIPWAY_ASSIGN(const bool more, source->Next(batch, kBatchRows));
    if (!more) return result;
    const int64_t rows = std::min(batch.table.rows, max_rows - result.rows);
    const auto readable = AddFaults(batch, rows, result);
    for (int64_t row = 0; row < rows; ++row) {
      if (readable[static_cast<size_t>(row)]) AddRow(batch, layout, row, lexemes, result);
    }
    result.rows += rows;
    progress.Update(source->progress().done, fmt::format("{} rows", Grouped(result.rows)));
    if (result.rows >= max_rows) {
      const bool used_up = rows == batch.table.rows;
      auto beyond = source->Next(batch, 1);
      result.whole = used_up && beyond && !*beyond;
      return result;
    }
  }
}

void AddValue(const base::Value& value, profile::ColumnProfile& column) {
  switch (value.kind()) {
    case base::Value::Kind::kNull:
      column.AddNull();
      break;
    case base::Value::Kind::kBoolean:
      column.AddBoolean(value.boolean());
      break;
    case base::Value::Kind::kInteger:
      column.AddInteger(value.integer());
      break;
    case base::Value::Kind::kNumber:
      column.AddNumber(value.number());
      break;
    case base::Value::Kind::kString:
      column.AddText(value.string());
      break;
    case base::Value::Kind::kList: {
      const bool numbers = std::ranges::all_of(
          value.list(), [](const base::Value& element) { return element.is_number() || element.is_integer(); });
      column.AddList(numbers ? static_cast<int64_t>(value.list().size()) : -1);
      break;
    }
    default:
      column.AddOther();
      break;
  }
}

/// A record of JSON; it need not have every column, and may bring new ones.
base::Result<void> AddRecord(const base::Value& record, std::unordered_map<std::string, size_t>& index,
                             ProfiledTable& table) {
  for (const auto& [name, value] : record.map()) {
    const auto [it, fresh] = index.try_emplace(name, table.columns.size());
    if (fresh) {
      if (table.columns.size() >= 16384) {
        return base::Fail(base::Code::kInvalidArgument, "table.columns",
                          "the table has more than 16384 different keys");
      }
      table.columns.emplace_back(name);
    }
    auto& column = table.columns[it->second];
    while (column.rows() < table.rows) column.AddNull();
    AddValue(value, column);
  }
  ++table.rows;
  return {};
}

/// JSON tells types value by value, so the values are looked at as they are: "12" is text, 12 a number.
base::Result<ProfiledTable> ProfileJson(const std::string& path, tables::JsonRecordReader::Form form, int64_t max_rows,
                                        const Console& console) {
  SLIPWAY_ASSIGN(auto file, tables::InputFile::Open(path));
  tables::JsonRecordReader reader(std::move(file), form);
  ProfiledTable result;
  std::unordered_map<std::string, size_t> index;
  Progress progress(console, "reading", std::nullopt);
  while (true) {
    SLIPWAY_ASSIGN(const std::string_view text, reader.Next());
    if (text.empty()) break;
    if (result.rows >= max_rows) {
      result.whole = false;
      break;
    }
    auto record = base::ParseJson(text, {.bytes = size_t{64} << 20, .depth = 32});
    if (!record || !record->is_map()) {
      return base::Fail(base::Code::kInvalidArgument, "json.malformed",
                        fmt::format("record {} is no JSON object: {}", result.rows + 1,
                                    record ? base::Shorten(text) : record.error().message),
                        path);
    }
    if (auto added = AddRecord(*record, index, result); !added) {
      added.error().where = path;
      return std::unexpected(std::move(added).error());
    }
    progress.Update(result.rows, fmt::format("{} rows", Grouped(result.rows)));
  }
  for (auto& column : result.columns) {
    while (column.rows() < result.rows) column.AddNull();
  }
  return result;
}

}  // namespace

base::Result<ProfiledTable> ProfileRows(const std::string& path, const tables::TableOptions& options, int64_t max_rows,
                                        const Console& console) {
  if (path == "-") {
    return base::Fail(base::Code::kInvalidArgument, "table.stream",
                      "a table is looked at in a file, not on standard input; save it and name the file");
  }
  using Form = tables::JsonRecordReader::Form;
  if (options.format == tables::Format::kJsonLines) return ProfileJson(path, Form::kLines, max_rows, console);
  if (options.format == tables::Format::kJson) return ProfileJson(path, Form::kDocument, max_rows, console);
  return ProfileColumns(path, options, max_rows, console);
}

base::Result<ProfiledTable> ProfileTable(const std::string& path, const tables::TableOptions& options, int64_t max_rows,
                                         const Console& console) {
  SLIPWAY_ASSIGN(auto table, ProfileRows(path, options, max_rows, console));
  if (table.rows == 0) {
    return base::Fail(base::Code::kInvalidArgument, "table.empty", "the table has no rows to look at", path);
  }
  if (table.rows == table.malformed) {
    return base::Fail(base::Code::kInvalidArgument, "table.malformed",
                      fmt::format("no row can be read, e.g. {}", table.malformed_example), path);
  }
  return table;
}

}  // namespace slipway::cli
