#pragma once
// Database: a file of SQLite, for what a process must know after it was killed. Small and synchronous: for tables of
// thousands of rows and a few statements a second.
//
//   SLIPWAY_ASSIGN(auto database, Database::Open("runs.sqlite", {.schema = kSchema, .version = 1}));
//   SLIPWAY_TRY(database.Run("INSERT INTO runs (job, scheduled) VALUES (?, ?)", {job, seconds}));
//   SLIPWAY_ASSIGN(const auto rows, database.Query("SELECT job FROM runs WHERE scheduled > ?", {seconds}));

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace slipway::storage::sqlite {

/// A value of SQLite's: null, integer, real, text.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;
using Row = std::vector<Cell>;

struct DatabaseOptions {
  std::string_view schema;  ///< statements that make the tables of a new file
  int64_t version = 1;      ///< of the schema; a file with another is refused
  bool read_only = false;   ///< a file that is not there is an error
};

/// What Run() has done is on disk when it returns (journal WAL, synchronous FULL). Other processes may read meanwhile.
/// Errors of all methods: unavailable "sqlite.unavailable" (disk full, locked, no permission), data_loss
/// "sqlite.damaged", internal "sqlite.statement"; each with SQLite's word and the file.
/// Thread-safety: one thread at a time.
class Database {
 public:
  /// Errors: also not_found "sqlite.missing", failed_precondition "sqlite.version".
  static base::Result<Database> Open(const std::filesystem::path& path, const DatabaseOptions& options);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  base::Result<void> Run(std::string_view statement, std::initializer_list<Cell> values = {});
  base::Result<std::vector<Row>> Query(std::string_view statement, std::initializer_list<Cell> values = {}) const;
  /// All that `work` runs, or nothing of it when it returns an error.
  base::Result<void> Transaction(const std::function<base::Result<void>()>& work);
  /// Of the row that was inserted last.
  int64_t last_id() const;

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  base::Result<void> RunAll(std::string_view statements);
  base::Result<void> Prepare(const DatabaseOptions& options);
  std::unique_ptr<State> state_;
};

/// A cell of that kind, or what stands for its absence.
int64_t IntegerOf(const Cell& cell, int64_t otherwise = 0);
std::string TextOf(const Cell& cell);

}  // namespace slipway::storage::sqlite
