#pragma once
// Rows as other protocols write them in JSON: a member of an object that says more, by rows, by columns, or as a pandas
// frame that was split. The cells go through RowBuilder like those of every other door.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "data/json_rows.h"
#include "data/json_walker.h"

namespace slipway::data {

/// How a member holds its rows.
enum class JsonTableForm : uint8_t {
  /// [row, …]: objects by field name; lists of all fields in the layout's order; or, with one field, its values.
  kRows,
  /// [{…}, …]
  kRecords,
  /// {"name": [value, …], …}: equally long lists over the rows. An object without lists is one record, a list is kRows.
  kColumns,
  /// {"columns": ["name", …], "data": [[value, …], …]} in any order. Without names, or with the numbers 0, 1, … for
  /// names: all fields in the layout's order. "index" is passed over.
  kSplit,
};

/// The object around the rows, as a protocol defines it. Plain data, usually constant.
struct JsonTableFormat {
  struct Member {
    std::string_view name;
    JsonTableForm form;
  };
  static constexpr size_t kMaxNotes = 2;

  std::span<const Member> tables;           ///< a text has exactly one of them
  std::span<const std::string_view> notes;  ///< members that Decode() hands out; at most kMaxNotes
  std::string_view context;                 ///< a member with fields for all rows that lack them; empty: none
  JsonDialect dialect;
  bool any_list = false;  ///< a list of one value stands for it in every scalar field
  bool one_row = false;   ///< kColumns holds one row and no dimension over rows
};

/// What Decode() found around the rows.
struct JsonTable {
  size_t member = 0;                                               ///< index in JsonTableFormat::tables
  std::array<std::string_view, JsonTableFormat::kMaxNotes> notes;  ///< their JSON; empty when absent
};

/// Keeps its buffers from call to call. Thread-safety: one thread at a time; make one per thread.
class JsonTableDecoder {
 public:
  /// `list_ranks`: see JsonWalker::TakeUnitLists.
  explicit JsonTableDecoder(const Layout& layout, JsonRowLimits limits = {}, std::vector<int> list_ranks = {});
  ~JsonTableDecoder();

  /// Appends the rows to `out`, nothing on error. Errors: "json.malformed", "json.limit", and "json.not_a_table" when
  /// the text is JSON but none of the forms; "schema.violation" for fields of the context.
  base::Result<JsonTable> Decode(std::string_view text, const JsonTableFormat& format, Decoded& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes tables as those protocols want them. With one field a row is its value, with several an object.
/// Thread-safety: const access.
class JsonTableEncoder {
 public:
  struct Style {
    bool non_finite_tokens = false;  ///< NaN, Infinity and -Infinity in place of null
    bool bytes_suffix = false;       ///< texts of fields whose name ends in "_bytes" as {"b64":"…"}
    bool labels = true;              ///< labelled vectors are objects, else lists
  };

  /// `list_ranks`: by field, lists of one element to write around a scalar; may be empty.
  explicit JsonTableEncoder(const std::vector<Field>& fields, std::vector<int> list_ranks = {});

  /// [1.5,2.5] or [{"a":1.5,"b":"x"},…]
  void AppendRows(const Table& table, const Style& style, std::string& out) const;
  /// [1.5,2.5] or {"a":[1.5,2.5],"b":["x",…]}
  void AppendColumns(const Table& table, const Style& style, std::string& out) const;
  /// 1.5 or {"a":1.5,"b":"x"}
  void AppendRow(const Table& table, int64_t row, const Style& style, std::string& out) const;

 private:
  void AppendCell(const Table& table, size_t field, int64_t row, const Style& style, std::string& out) const;
  void AppendColumn(const Table& table, size_t field, const Style& style, std::string& out) const;

  JsonRowEncoder cells_;
  std::vector<int> list_ranks_;
  std::vector<bool> is_bytes_;  ///< by field
};

}  // namespace slipway::data
