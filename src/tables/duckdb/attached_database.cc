#include "tables/duckdb/attached_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "tables/input_file.h"

namespace slipway::tables::duckdb {
namespace {

bool HasAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// What DuckDB puts before the words of the database.
std::string_view WithoutPreface(std::string_view text) {
  for (const std::string_view mark : {"FATAL:  ", "ERROR:  "}) {
    if (const size_t at = text.find(mark); at != std::string_view::npos) return text.substr(at + mark.size());
  }
  constexpr std::string_view kSays = "DuckDB says: ";
  return text.starts_with(kSays) ? text.substr(kSays.size()) : text;
}

bool IsLoginFault(std::string_view text) {
  return HasAny(text, {"password authentication failed", "no password supplied", "authentication failed"});
}

bool IsLostConnection(std::string_view text) {
  return HasAny(text,
                {"Unable to connect", "connection to server", "server closed the connection", "terminating connection",
                 "could not receive data", "no connection to the server", "could not send data", "SSL SYSCALL",
                 "Failed to connect", "connection pointer is NULL", "the database system is", "Connection refused",
                 "could not translate host name", "canceling statement due to"});
}

/// What another process at work on the same rows or file may cause, and what a later try may not meet.
bool IsPassing(std::string_view text) {
  return HasAny(text, {"could not serialize access", "deadlock detected", "database is locked", "disk is full",
                       "No space left", "could not extend file", "out of shared memory"});
}

}  // namespace

/// The same fault with who said it, and the way out.
base::Error AttachedDatabase::Told(base::Error error) const {
  error.where = address_.shown;
  const std::string text = error.message;
  if (address_.kind == DatabaseKind::kSqlite) {
    if (HasAny(text, {"file is not a database"})) {
      return {base::Code::kInvalidArgument, "tables.not_a_database", "this is no SQLite database; check the path",
              address_.shown};
    }
    constexpr std::string_view kMismatch = "Mismatch Type Error: ";
    if (const size_t at = text.find(kMismatch); at != std::string::npos) {
      const auto words = std::string_view(text).substr(at + kMismatch.size());
      return {
          base::Code::kInvalidArgument, "tables.mistyped",
          fmt::format("SQLite keeps a value that is not of its column's type: {} Mend it, or take texts and cast them: "
                      "query=SELECT TRY_CAST(a AS DOUBLE) AS a, … FROM sqlite_query('db', 'SELECT * FROM …')",
                      words.substr(0, words.find(" *"))),
          address_.shown};
    }
    if (IsPassing(text) || HasAny(text, {"Unable to open database", "readonly database", "disk I/O error"})) {
      error = {base::Code::kUnavailable, "tables.connection", fmt::format("SQLite says: {}", WithoutPreface(text)),
               address_.shown};
    }
    return error;
  }
  const std::string words = base::Shorten(WithoutPreface(text), 512);
  if (IsLoginFault(text)) {
    return {
        base::Code::kUnavailable, "tables.login",
        fmt::format("PostgreSQL says: {}; give the password in PGPASSWORD, in ~/.pgpass or by PGSERVICE (one in the "
                    "address counts for `run` alone: a job's record does not keep it)",
                    base::Trim(words)),
        address_.shown};
  }
  if (IsLostConnection(text)) {
    return {base::Code::kUnavailable, "tables.connection",
            fmt::format("PostgreSQL cannot be reached: {}", base::Trim(words)), address_.shown};
  }
  if (IsPassing(text)) {
    return {base::Code::kUnavailable, "tables.connection", fmt::format("PostgreSQL says: {}", base::Trim(words)),
            address_.shown};
  }
  if (text.find("ERROR:  ") != std::string::npos) {
    error.message = fmt::format("PostgreSQL says: {}", base::Trim(words));
  }
  return error;
}

base::Result<std::unique_ptr<AttachedDatabase>> AttachedDatabase::Open(const DatabaseAddress& address, Access access,
                                                                       SessionOptions options) {
  std::unique_ptr<AttachedDatabase> database(new AttachedDatabase(address));
  const std::string connection = address.Connection();
  const bool reads = access == Access::kRead;
  if (address.kind == DatabaseKind::kSqlite) {
    std::error_code ignored;
    if (reads || std::filesystem::exists(address.file, ignored)) SLIPWAY_TRY(InputFile::Open(address.file));
    options.extensions.emplace_back("sqlite_scanner");
    // Threads of their own would each see the file at another moment.
    options.preparations.emplace_back("SET sqlite_disable_multithreaded_scans = true");
    options.preparations.push_back(fmt::format("ATTACH {} AS db (TYPE sqlite{})", QuotedText(connection),
                                               reads ? ", READ_ONLY" : ", BUSY_TIMEOUT 30000"));
  } else {
    options.extensions.emplace_back("postgres_scanner");
    options.preparations.push_back(
        fmt::format("ATTACH {} AS db (TYPE postgres{})", QuotedText(connection), reads ? ", READ_ONLY" : ""));
    options.hidden.emplace_back(connection, address.shown);
  }
  auto session = Session::Open(options);
  if (!session) return std::unexpected(database->Told(session.error()));
  database->session_ = *std::move(session);
  if (reads) SLIPWAY_TRY(database->Begin());
  if (reads && address.kind == DatabaseKind::kPostgres) {
    SLIPWAY_ASSIGN(const auto rows, database->Ask("SELECT pg_backend_pid()", 1));
    if (!rows.empty()) database->backend_ = rows[0][0];
  }
  if (address.kind == DatabaseKind::kPostgres && address.schema.empty() && !address.table.empty()) {
    SLIPWAY_ASSIGN(const auto rows, database->Ask("SELECT coalesce(current_schema(), 'public')", 1));
    if (!rows.empty()) database->address_.schema = rows[0][0];
  }
  return database;
}

AttachedDatabase::~AttachedDatabase() {
  // A transaction over a connection that was lost must not be left to DuckDB to end: it ends the process.
  if (in_transaction_) RollBack();
}

void AttachedDatabase::Cancel() {
  session_->Interrupt();
  if (backend_.empty()) return;
  const auto sql = fmt::format("SELECT pg_cancel_backend({}) AS done", backend_);
  const auto asked = session_->RunBeside(fmt::format("SELECT * FROM postgres_query('db', {})", QuotedText(sql)));
  static_cast<void>(asked);
}

base::Result<void> AttachedDatabase::Begin() {
  SLIPWAY_TRY(Run("BEGIN"));
  in_transaction_ = true;
  return {};
}

base::Result<void> AttachedDatabase::Commit() {
  SLIPWAY_TRY(Run("COMMIT"));
  in_transaction_ = false;
  return {};
}

void AttachedDatabase::RollBack() {
  // What failed before tells more than what rolling back may say of a connection that is gone.
  const auto rolled_back = Run("ROLLBACK");
  static_cast<void>(rolled_back);
  in_transaction_ = false;
}

base::Result<void> AttachedDatabase::Run(const std::string& sql) {
  auto done = session_->Run(sql);
  if (!done) return std::unexpected(Told(done.error()));
  return done;
}

base::Result<AttachedDatabase::Rows> AttachedDatabase::Query(const std::string& sql, int columns) {
  // DuckDB's door to SQLite binds a question to a connection that lives as long as the transaction, and a question of
  // ours is bound and answered in two steps.
  const bool alone = !in_transaction_;
  if (alone) SLIPWAY_TRY(Begin());
  auto rows = session_->QueryTexts(sql, columns);
  if (!rows) {
    if (alone) RollBack();
    return std::unexpected(Told(rows.error()));
  }
  if (alone) SLIPWAY_TRY(Commit());
  return rows;
}

base::Result<AttachedDatabase::Rows> AttachedDatabase::Ask(const std::string& sql, int columns) {
  return Query(fmt::format("SELECT * FROM postgres_query('db', {})", QuotedText(sql)), columns);
}

base::Result<void> AttachedDatabase::Execute(const std::string& sql) {
  return Run(fmt::format("CALL postgres_execute('db', {})", QuotedText(sql)));
}

std::string AttachedDatabase::TableHere() const {
  return TableHere(address_.table);
}

std::string AttachedDatabase::TableHere(std::string_view name) const {
  return address_.schema.empty() ? fmt::format("db.{}", QuotedName(name))
                                 : fmt::format("db.{}.{}", QuotedName(address_.schema), QuotedName(name));
}

std::string AttachedDatabase::TableThere() const {
  return TableThere(address_.table);
}

std::string AttachedDatabase::TableThere(std::string_view name) const {
  return address_.schema.empty() ? QuotedName(name)
                                 : fmt::format("{}.{}", QuotedName(address_.schema), QuotedName(name));
}

base::Result<AttachedDatabase::Rows> AttachedDatabase::Tables() {
  if (address_.kind == DatabaseKind::kSqlite) {
    return Query(
        "SELECT '', name FROM sqlite_query('db', 'SELECT name FROM sqlite_master WHERE type IN (''table'', "
        "''view'')')");
  }
  return Ask(
      "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN "
      "('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')");
}

base::Result<bool> AttachedDatabase::HasTable() {
  return HasTable(address_.table);
}

base::Result<bool> AttachedDatabase::HasTable(std::string_view name) {
  SLIPWAY_ASSIGN(const auto tables, Tables());
  return std::ranges::any_of(tables, [&](const auto& row) {
    return row[0] == address_.schema &&
           (address_.kind == DatabaseKind::kSqlite ? strcasecmp(row[1].c_str(), std::string(name).c_str()) == 0
                                                   : row[1] == name);
  });
}

base::Result<void> AttachedDatabase::CheckTable() {
  SLIPWAY_ASSIGN(const bool found, HasTable());
  if (found) return {};
  SLIPWAY_ASSIGN(const auto tables, Tables());
  std::vector<std::string> names;
  for (const auto& row : tables) {
    const bool plain = row[0].empty() || row[0] == "public";
    names.push_back(plain ? row[1] : row[0] + "." + row[1]);
  }
  const std::string asked = address_.schema == "public" ? address_.table : address_.TableName();
  return base::Fail(base::Code::kNotFound, "tables.no_table",
                    fmt::format("there is no table {:?}{}", asked, base::DidYouMean(asked, names)), address_.shown);
}

base::Result<std::vector<std::string>> AttachedDatabase::PrimaryKey() {
  Rows rows;
  if (address_.kind == DatabaseKind::kSqlite) {
    SLIPWAY_ASSIGN(
        rows, Query(fmt::format("SELECT name, \"type\" FROM sqlite_query('db', {}) WHERE pk <> '0' ORDER BY pk::INT",
                                QuotedText(fmt::format("PRAGMA table_info({})", QuotedName(address_.table))))));
  } else {
    SLIPWAY_ASSIGN(
        rows,
        Ask(fmt::format(
            "SELECT a.attname::text, '' AS nothing FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
            "AND a.attnum = ANY(i.indkey) WHERE i.indrelid = {}::regclass AND i.indisprimary "
            "ORDER BY array_position(i.indkey::int2[], a.attnum)",
            QuotedText(TableThere()))));
  }
  // Rows of SQLite stand in the order of such a key by themselves.
  const bool is_row_number = rows.size() == 1 && strcasecmp(rows[0][1].c_str(), "integer") == 0;
  if (address_.kind == DatabaseKind::kSqlite && is_row_number) return std::vector<std::string>();
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row[0]);
  return names;
}

}  // namespace slipway::tables::duckdb
