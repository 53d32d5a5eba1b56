#include "bundle/lookup_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/text.h"
#include "data/csv_rows.h"

namespace slipway::bundle {
namespace {

using base::Code;
using base::Value;
using data::CsvReader;

constexpr int64_t kMaxCellBytes = 65536;

struct Entry {
  std::string key;
  std::string value;
};

class TableReader {
 public:
  TableReader(const std::string& file, int64_t max_rows) : file_(file), max_rows_(max_rows) {}

  void OnRecord(const std::vector<CsvReader::Cell>& cells, int64_t line) {
    if (failure_) return;
    if (cells.size() == 1 && cells[0].text.empty() && !cells[0].quoted) return;  // a blank line
    if (!header_) return Header(cells, line);
    if (cells.size() != 2)
      return Reject(line, fmt::format("a line has {} cells instead of key and value", cells.size()));
    if (static_cast<int64_t>(entries_.size()) >= max_rows_) {
      failure_ = base::Error{Code::kResourceExhausted, "bundle.limit",
                             fmt::format("the table has more than the limit of {} entries", max_rows_), Place(line)};
      return;
    }
    const std::string_view key = cells[0].text;
    if (!base::IsValidUtf8(key) || !base::IsValidUtf8(cells[1].text)) return Reject(line, "not valid UTF-8");
    if (!keys_.emplace(key).second) return Reject(line, fmt::format("the key \"{}\" stands twice", base::Shorten(key)));
    if (cells[1].text.empty() && !cells[1].quoted) {
      return Reject(line, fmt::format("the key \"{}\" has no value; give it one or remove the line, so that the step's "
                                      "`default` answers",
                                      base::Shorten(key)));
    }
    quoted_ |= cells[1].quoted;
    entries_.push_back({std::string(key), std::string(cells[1].text)});
  }

  base::Result<Value> Finish(base::Result<void> read) {
    if (failure_) return std::unexpected(*failure_);
    if (!read) {
      return base::Fail(Code::kInvalidArgument, "bundle.table", read.error().message, file_);
    }
    if (!header_) return base::Fail(Code::kInvalidArgument, "bundle.table", kWanted, file_);
    Value table = Value::Map();
    table.map().reserve(entries_.size());
    const bool integers = All([](const std::string& text) { return base::ParseInt64(text).has_value(); });
    const bool numbers = All([](const std::string& text) { return base::ParseDouble(text).has_value(); });
    for (Entry& entry : entries_) {
      table.map().emplace_back(std::move(entry.key), Typed(std::move(entry.value), integers, numbers));
    }
    return table;
  }

 private:
  static constexpr const char* kWanted = "a lookup table is CSV whose first line is key,value";

  std::string Place(int64_t line) const { return fmt::format("{}:{}", file_, line); }

  void Reject(int64_t line, std::string message) {
    failure_ = base::Error{Code::kInvalidArgument, "bundle.table", std::move(message), Place(line)};
  }

  void Header(const std::vector<CsvReader::Cell>& cells, int64_t line) {
    header_ = true;
    if (cells.size() != 2 || cells[0].text != "key" || cells[1].text != "value") Reject(line, kWanted);
  }

  template <typename Predicate>
  bool All(Predicate predicate) const {
    return !quoted_ && std::ranges::all_of(entries_, [&](const Entry& e) { return predicate(e.value); });
  }

  static Value Typed(std::string text, bool integers, bool numbers) {
    if (integers) return *base::ParseInt64(text);
    if (numbers) return *base::ParseDouble(text);
    return text;
  }

  const std::string& file_;
  int64_t max_rows_;
  bool header_ = false;
  bool quoted_ = false;  // a quoted value says that values are text
  std::vector<Entry> entries_;
  std::unordered_set<std::string> keys_;
  std::optional<base::Error> failure_;
};

}  // namespace

base::Result<Value> ParseLookupTable(std::string_view csv, const std::string& file, int64_t max_rows) {
  TableReader table(file, max_rows);
  CsvReader reader(',', {.cell_bytes = kMaxCellBytes, .columns = 16});
  const auto on_record = [&](const std::vector<CsvReader::Cell>& cells, int64_t line) { table.OnRecord(cells, line); };
  auto read = reader.Feed(csv, on_record);
  if (read) read = reader.Finish(on_record);
  return table.Finish(std::move(read));
}

}  // namespace slipway::bundle
