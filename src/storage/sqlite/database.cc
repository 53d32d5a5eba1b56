#include "storage/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace slipway::storage::sqlite {
namespace {

namespace fs = std::filesystem;

struct StatementEnd {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementEnd>;

constexpr int kBusyMilliseconds = 10'000;

void Bind(sqlite3_stmt* statement, int at, const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) {
    sqlite3_bind_int64(statement, at, *integer);
  } else if (const auto* real = std::get_if<double>(&cell)) {
    sqlite3_bind_double(statement, at, *real);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } else {
    sqlite3_bind_null(statement, at);
  }
}

Cell CellAt(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return std::monostate();
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, column)));
    }
  }
}

}  // namespace

struct Database::State {
  sqlite3* handle = nullptr;
  std::string path;

  ~State() { sqlite3_close_v2(handle); }

  std::unexpected<base::Error> Fault() const {
    const int code = sqlite3_errcode(handle);
    const std::string word = sqlite3_errmsg(handle);
    switch (code & 0xff) {
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        return base::Fail(base::Code::kDataLoss, "sqlite.damaged",
                          fmt::format("the file is damaged, or no database of SQLite: {}; put it aside", word), path);
      case SQLITE_ERROR:
      case SQLITE_CONSTRAINT:
      case SQLITE_MISMATCH:
      case SQLITE_MISUSE:
      case SQLITE_RANGE:
        return base::Fail(base::Code::kInternal, "sqlite.statement", word, path);
      default:
        return base::Fail(base::Code::kUnavailable, "sqlite.unavailable",
                          fmt::format("the database cannot be used: {}", word), path);
    }
  }

  base::Result<Statement> Start(std::string_view text, std::initializer_list<Cell> values) const {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(handle, text.data(), static_cast<int>(text.size()), &raw, nullptr) != SQLITE_OK) {
      return Fault();
    }
    Statement statement(raw);
    int at = 0;
    for (const Cell& value : values) Bind(raw, ++at, value);
    return statement;
  }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

base::Result<Database> Database::Open(const fs::path& path, const DatabaseOptions& options) {
  std::error_code ignored;
  if (options.read_only && !fs::exists(path, ignored)) {
    return base::Fail(base::Code::kNotFound, "sqlite.missing", "there is no such file", path.string());
  }
  auto state = std::make_unique<State>();
  state->path = path.string();
  const int mode = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(path.c_str(), &state->handle, mode | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    return state->Fault();
  }
  sqlite3_extended_result_codes(state->handle, 1);
  sqlite3_busy_timeout(state->handle, kBusyMilliseconds);
  Database database(std::move(state));
  SLIPWAY_TRY(database.Prepare(options));
  return database;
}

base::Result<void> Database::Prepare(const DatabaseOptions& options) {
  if (!options.read_only) {
    SLIPWAY_TRY(RunAll("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"));
  }
  const auto version = [&]() -> base::Result<int64_t> {
    SLIPWAY_ASSIGN(const auto rows, Query("PRAGMA user_version"));
    return IntegerOf(rows.at(0).at(0));
  };
  SLIPWAY_ASSIGN(int64_t found, version());
  if (found == 0 && !options.read_only) {
    SLIPWAY_TRY(Transaction([&]() -> base::Result<void> {
      SLIPWAY_ASSIGN(found, version());  // another process may have been first
      if (found != 0) return {};
      SLIPWAY_TRY(RunAll(options.schema));
      found = options.version;
      return RunAll(fmt::format("PRAGMA user_version = {}", options.version));
    }));
  }
  if (found == options.version) return {};
  return base::Fail(base::Code::kFailedPrecondition, "sqlite.version",
                    fmt::format("the file's tables are of version {}, and this release knows {}; use the release that "
                                "made it, or another file",
                                found, options.version),
                    state_->path);
}

base::Result<void> Database::RunAll(std::string_view statements) {
  const std::string text(statements);
  if (sqlite3_exec(state_->handle, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return state_->Fault();
  return {};
}

base::Result<void> Database::Run(std::string_view statement, std::initializer_list<Cell> values) {
  SLIPWAY_ASSIGN(const auto started, state_->Start(statement, values));
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(started.get());
  if (code != SQLITE_DONE) return state_->Fault();
  return {};
}

base::Result<std::vector<Row>> Database::Query(std::string_view statement, std::initializer_list<Cell> values) const {
  SLIPWAY_ASSIGN(const auto started, state_->Start(statement, values));
  std::vector<Row> rows;
  int code = sqlite3_step(started.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(started.get())) {
    Row& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(started.get()); ++i) row.push_back(CellAt(started.get(), i));
  }
  if (code != SQLITE_DONE) return state_->Fault();
  return rows;
}

base::Result<void> Database::Transaction(const std::function<base::Result<void>()>& work) {
  SLIPWAY_TRY(RunAll("BEGIN IMMEDIATE"));
  auto done = work();
  if (done) done = RunAll("COMMIT");
  if (done || sqlite3_get_autocommit(state_->handle) != 0) return done;
  const auto undone = RunAll("ROLLBACK");  // done or not, the first error is the one to be told
  static_cast<void>(undone);
  return done;
}

int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(state_->handle);
}

int64_t IntegerOf(const Cell& cell, int64_t otherwise) {
  const auto* integer = std::get_if<int64_t>(&cell);
  return integer ? *integer : otherwise;
}

std::string TextOf(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return text ? *text : "";
}

}  // namespace slipway::storage::sqlite
