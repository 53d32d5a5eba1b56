#pragma once
// Records in and out as JSON: one object, a list of objects, or JSON lines.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"
#include "data/json_cursor.h"
#include "data/row_text.h"

namespace slipway::data {

struct JsonRowLimits {
  int64_t bytes = int64_t{64} << 20;  ///< of one document
  int64_t rows = 1 << 20;
  int64_t table_bytes = int64_t{256} << 20;  ///< of the columns: a wide record of nulls takes few bytes of text
  JsonBounds nested;

  /// Rows of this width that one document may hold.
  int64_t RowsOf(const Layout& layout) const;
};

/// Decodes JSON into Decoded by simdjson. Keeps its buffers from call to call.
/// Thread-safety: one thread at a time; make one per thread.
class JsonRowDecoder {
 public:
  explicit JsonRowDecoder(const Layout& layout, JsonRowLimits limits = {});
  ~JsonRowDecoder();

  enum class Form : uint8_t { kRecord, kRecords };  ///< one object, or {"records":[…]} / a top-level list

  /// A whole document: an object is one record, unless it is {"records": […]} (and "records" is no field of the
  /// layout). Appends to `out`. Errors: "json.malformed" (also invalid UTF-8), "json.limit", "json.not_a_record".
  base::Result<Form> DecodeDocument(std::string_view text, Decoded& out);

  /// One line of JSON lines: appends exactly one row; a broken line is that row's violation (kMalformed).
  void DecodeLine(std::string_view line, Decoded& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes rows as JSON objects: `{"carrier":"AA","distance":1400.0}`. Field names are escaped once, at construction.
/// Null cells are written as null; NaN and infinities too. Thread-safety: const access.
class JsonRowEncoder {
 public:
  explicit JsonRowEncoder(const std::vector<Field>& fields);
  void AppendRow(const Table& table, int64_t row, std::string& out) const;
  /// Only these fields of it.
  void AppendRow(const Table& table, std::span<const size_t> fields, int64_t row, std::string& out) const;
  /// `"name":`
  const std::string& Key(size_t field) const { return keys_[field]; }
  /// The value of one cell. `labels`: labelled vectors are objects, else lists.
  void AppendCell(const Table& table, size_t field, int64_t row, std::string& out, JsonCellStyle style = {},
                  bool labels = true) const;
  /// The members without the braces, for callers that add their own.
  void AppendMembers(const Table& table, int64_t row, std::string& out) const;

 private:
  std::vector<Field> fields_;
  std::vector<std::string> keys_;                 ///< `"name":`
  std::vector<std::vector<std::string>> labels_;  ///< the same for the labels of labelled vectors
};

}  // namespace slipway::data
