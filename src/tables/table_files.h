#pragma once
// Opens tables by path. "-" is standard input or output, where the format has to be named.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "data/layout.h"
#include "tables/format.h"
#include "tables/row_sink.h"
#include "tables/row_source.h"

namespace slipway::tables {

namespace duckdb {
class Session;
}

struct ConstantField {
  size_t field = 0;  ///< index
  std::string text;
};

struct TableOptions {
  std::optional<Format> format;  ///< otherwise by extension
  /// Bounds of the Parquet engine. Rows and bytes are the same for any number of threads.
  int threads = 0;  ///< 0: what the cgroup allows
  base::Bytes memory{int64_t{512} << 20};
  /// Rows of a group of a Parquet file that is written, taken down to whole vectors of DuckDB's (2,048, which is the
  /// least); otherwise as many as fit the memory.
  std::optional<int64_t> row_group_rows;
  /// For Parquet files with NeedsEngine() that are written one after another into one folder, by one thread: an engine
  /// that serves all of them, since to start one takes as long as to score some ten thousand rows.
  std::shared_ptr<duckdb::Session> engine;
  /// Of Parquet files that are written: fields that hold the same text in every row. The tables written have no values
  /// there.
  std::vector<ConstantField> constants;
};

/// Whether Parquet files of such fields are written by an engine: there is a tensor.
bool NeedsEngine(const std::vector<data::Field>& fields);

/// An engine for files that are written into the folder. Errors: those of duckdb::Session::Open.
base::Result<std::shared_ptr<duckdb::Session>> StartEngine(const std::string& folder, base::Bytes memory);

/// Errors: "tables.format", not_found "tables.missing", invalid_argument "tables.not_a_file", unavailable
/// "tables.read"; those of the format (broken header, no Parquet file). `layout` must outlive the source.
base::Result<std::unique_ptr<RowSource>> OpenSource(std::string_view path, const data::Layout& layout,
                                                    const TableOptions& options = {});

/// `fields`: one for each column of the tables to be written. Errors: "tables.format", unavailable "tables.write",
/// invalid_argument "tables.unfit" when the format cannot hold such columns (text in .npy).
base::Result<std::unique_ptr<RowSink>> OpenSink(std::string_view path, const std::vector<data::Field>& fields,
                                                const TableOptions& options = {});

/// A column of a stored table, as far as the format knows.
struct StoredColumn {
  std::string name;
  std::optional<data::DataType> type;  ///< Parquet only; not for types Slipway has no word for
  std::string stored_type;             ///< the format's own word, e.g. "DECIMAL(18,3)"; empty when it has none
  std::string unreadable = {};         ///< why its values cannot be had, and the way out; empty: they can
};

/// The columns of a file: CSV, the header; Parquet, its schema; JSON, the keys of the first `records` records in the
/// order they appear. Not for standard input, which can be read only once.
base::Result<std::vector<StoredColumn>> ReadColumns(std::string_view path, const TableOptions& options = {},
                                                    int64_t records = 1000);

}  // namespace slipway::tables
