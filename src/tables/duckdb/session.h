#pragma once
// Session: a DuckDB in memory with one connection, allowed to touch the named files and nothing else.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "data/decoded.h"
#include "data/layout.h"
#include "tables/duckdb/library.h"

struct _duckdb_connection;

namespace slipway::tables::duckdb {

struct SessionOptions {
  int threads = 1;
  base::Bytes memory{int64_t{512} << 20};
  std::string path;    ///< the file that may be read or written
  std::string folder;  ///< likewise, any file in it
  /// DuckDB's own, loaded before access is locked, and statements that need such access.
  std::vector<std::string> extensions, preparations;
  /// Texts that must not be shown, with what stands for each in messages.
  std::vector<std::pair<std::string, std::string>> hidden;
};

/// "it''s": a text between SQL's single quotes, with them. `name` likewise between double quotes.
std::string QuotedText(std::string_view text);
/// Of a file that is read: its name as it is, where DuckDB would take *, ? and [ for patterns.
std::string QuotedPath(std::string_view path);
std::string QuotedName(std::string_view name);

class RowStream;

/// Thread-safety: one thread at a time, but Interrupt() from any.
class Session {
 public:
  /// Errors: those of Library::Load; unavailable "tables.duckdb".
  static base::Result<std::unique_ptr<Session>> Open(const SessionOptions& options);
  ~Session();

  /// Errors of Run, Query and RowStream: "tables.duckdb" with DuckDB's own first line.
  base::Result<void> Run(const std::string& sql);
  /// The first `columns` columns of all rows, as text, null as an empty one: for catalogues and metadata.
  base::Result<std::vector<std::vector<std::string>>> QueryTexts(const std::string& sql, int columns = 2);
  /// Whether the text is one statement that only reads. Errors: DuckDB's own; invalid_argument "tables.sql".
  base::Result<void> CheckQuestion(const std::string& sql);
  /// Streams rows; `targets[i]` is the field of `layout` that column i fills. The session must outlive the stream and
  /// serves nothing else meanwhile.
  base::Result<std::unique_ptr<RowStream>> Query(const std::string& sql, const data::Layout& layout,
                                                 std::vector<int> targets);
  /// From now on messages say `shown` for the text.
  void Hide(std::string text, std::string shown) { hidden_.emplace_back(std::move(text), std::move(shown)); }
  /// Makes a running statement fail soon.
  void Interrupt();
  /// A statement on a connection of its own, while another runs. From any thread.
  base::Result<void> RunBeside(const std::string& sql);
  /// How much of the running statement is done, where DuckDB can tell. From any thread.
  std::optional<double> Share() const;

  const Library& library() const { return library_; }
  _duckdb_connection* connection() const;

 private:
  explicit Session(const Library& library);
  base::Result<void> Connect(const SessionOptions& options);
  base::Result<void> Prepare(const SessionOptions& options);
  std::unexpected<base::Error> Fault(const char* words) const;

  struct Handles;
  const Library& library_;
  std::unique_ptr<Handles> handles_;
  std::vector<std::pair<std::string, std::string>> hidden_;
  friend class RowStream;
};

/// The rows of one query, in order.
class RowStream {
 public:
  ~RowStream();

  /// Appends at most `rows` rows to `out`; `unknown` are names of columns outside the layout, told to the builder in
  /// each row. The number appended: 0 at the end.
  base::Result<int64_t> Append(int64_t rows, const std::vector<std::string>& unknown, data::Decoded& out);

 private:
  friend class Session;
  struct State;
  explicit RowStream(std::unique_ptr<State> state);
  base::Result<bool> FetchChunk();
  std::unique_ptr<State> state_;
};

}  // namespace slipway::tables::duckdb
