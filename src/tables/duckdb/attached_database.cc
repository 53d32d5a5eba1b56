#include "tables/duckdb/attached_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/ids.h"
#include "base/text.h"
#include "tables/duckdb/database_faults.h"
#include "tables/duckdb/server_greeting.h"
#include "tables/input_file.h"

namespace slipway::tables::duckdb {
namespace {

/// Types as they are stored rather than as DuckDB guesses that they are meant: a small number is not always a boolean,
/// times are those of UTC, days that are none are nulls.
const std::vector<std::string> kMysqlSettings = {
    "SET mysql_tinyint1_as_boolean = false", "SET mysql_bit1_as_boolean = true",
    "SET mysql_incomplete_dates_as_nulls = true", "SET mysql_session_time_zone = '+00:00'"};

/// Fails soon where MySQL's client would wait for a server that does not answer.
base::Result<void> AwaitMysql(const DatabaseAddress& address) {
  const std::string host = address.Parameter("host");
  if (host.empty() || host == "localhost" || !address.Parameter("socket").empty()) return {};
  const char* const usual = std::getenv("MYSQL_TCP_PORT");
  std::string port = address.Parameter("port");
  if (port.empty()) port = usual ? usual : "3306";
  const std::chrono::seconds patience(base::ParseInt64(address.Parameter("connect_timeout")).value_or(10));
  auto greeted = AwaitGreeting(host, port, patience);
  if (greeted) return {};
  return std::unexpected(Told(address, greeted.error()));
}

/// Options of a session in which the database stands as `db`.
SessionOptions WithAttached(const DatabaseAddress& address, Access access, SessionOptions options) {
  const std::string connection = address.Connection();
  const bool reads = access == Access::kRead;
  const auto attach = [&](std::string_view type, std::string_view more) {
    options.preparations.push_back(
        fmt::format("ATTACH {} AS db (TYPE {}{})", QuotedText(connection), type, reads ? ", READ_ONLY" : more));
  };
  if (address.is_server()) {
    options.hidden.emplace_back(fmt::format("\"{}\"", connection), "\"\"");
    options.hidden.emplace_back(connection, address.shown);
  }
  switch (address.kind) {
    case DatabaseKind::kSqlite:
      options.extensions.emplace_back("sqlite_scanner");
      // Threads of their own would each see the file at another moment.
      options.preparations.emplace_back("SET sqlite_disable_multithreaded_scans = true");
      attach("sqlite", ", BUSY_TIMEOUT 30000");
      break;
    case DatabaseKind::kPostgres:
      options.extensions.emplace_back("postgres_scanner");
      // Its texts hold no NUL, and one in a row must not keep all others out.
      options.preparations.emplace_back("SET pg_null_byte_replacement = '\uFFFD'");
      attach("postgres", "");
      break;
    case DatabaseKind::kMysql:
      options.extensions.emplace_back("mysql_scanner");
      options.preparations.insert(options.preparations.end(), kMysqlSettings.begin(), kMysqlSettings.end());
      attach("mysql", "");
      break;
  }
  return options;
}

}  // namespace

base::Result<std::unique_ptr<AttachedDatabase>> AttachedDatabase::Open(const DatabaseAddress& address, Access access,
                                                                       SessionOptions options) {
  std::unique_ptr<AttachedDatabase> database(new AttachedDatabase(address));
  const bool reads = access == Access::kRead;
  if (address.kind == DatabaseKind::kSqlite) {
    std::error_code ignored;
    if (reads || std::filesystem::exists(address.file, ignored)) SLIPWAY_TRY(InputFile::Open(address.file));
  }
  if (address.kind == DatabaseKind::kMysql) SLIPWAY_TRY(AwaitMysql(address));
  auto session = Session::Open(WithAttached(address, access, std::move(options)));
  if (!session) return std::unexpected(Told(address, session.error()));
  database->session_ = *std::move(session);
  if (reads) SLIPWAY_TRY(database->Begin());
  if (address.is_server()) SLIPWAY_TRY(database->LearnOfServer(reads));
  return database;
}

base::Result<void> AttachedDatabase::LearnOfServer(bool reads) {
  const bool is_mysql = address_.kind == DatabaseKind::kMysql;
  if (is_mysql) {
    mark_ = fmt::format("/* slipway {:016x} */", base::RandomBits());
    SLIPWAY_TRY(CheckIsolation());
  } else if (reads) {
    SLIPWAY_ASSIGN(const auto rows, Ask("SELECT pg_backend_pid()", 1));
    if (!rows.empty()) backend_ = rows[0][0];
  }
  if (address_.schema.empty() && !address_.table.empty()) {
    SLIPWAY_ASSIGN(
        const auto rows,
        Ask(is_mysql ? "SELECT coalesce(database(), '')" : "SELECT coalesce(current_schema(), 'public')", 1));
    if (!rows.empty()) address_.schema = rows[0][0];
    if (address_.schema.empty()) {
      return base::Fail(base::Code::kInvalidArgument, "tables.no_table",
                        "no database is named; write mysql://host/DATABASE?table=T", address_.shown);
    }
  }
  return {};
}

/// One statement sees one moment unless the server is told to show what others have not committed.
base::Result<void> AttachedDatabase::CheckIsolation() {
  SLIPWAY_ASSIGN(const auto rows,
                 Ask("SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')"));
  for (const auto& row : rows) {
    if (row[1] != "READ-UNCOMMITTED") continue;
    return base::Fail(base::Code::kFailedPrecondition, "tables.isolation",
                      fmt::format("the server reads at {} ({}), where rows of one moment cannot be had; set it to "
                                  "READ-COMMITTED or better for this user's connections",
                                  row[1], row[0]),
                      address_.shown);
  }
  return {};
}

AttachedDatabase::~AttachedDatabase() {
  // A transaction over a connection that was lost must not be left to DuckDB to end: it ends the process.
  if (in_transaction_) RollBack();
}

void AttachedDatabase::Cancel() {
  session_->Interrupt();
  if (!mark_.empty()) EndMarked();
  if (backend_.empty()) return;
  const auto sql = fmt::format("SELECT pg_cancel_backend({}) AS done", backend_);
  const auto asked = session_->RunBeside(fmt::format("SELECT * FROM {}", Asked(sql)));
  static_cast<void>(asked);
}

/// Which connection DuckDB asks MySQL by is told by its question alone.
void AttachedDatabase::EndMarked() {
  if (!AwaitMysql(address_)) return;
  const auto beside = Session::Open(WithAttached(address_, Access::kWrite, {}));
  if (!beside) return;
  const auto running = (*beside)->QueryTexts(
      fmt::format("SELECT id::VARCHAR FROM {}",
                  Asked(fmt::format("SELECT id FROM information_schema.processlist WHERE info LIKE '%{}%' AND id <> "
                                    "connection_id()",
                                    mark_))),
      1);
  if (!running) return;
  for (const auto& row : *running) {
    const auto ended = (*beside)->Run(fmt::format("CALL mysql_execute('db', 'KILL QUERY {}')", row[0]));
    static_cast<void>(ended);
  }
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
  if (!done) return std::unexpected(Told(address_, done.error()));
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
    return std::unexpected(Told(address_, rows.error()));
  }
  if (alone) SLIPWAY_TRY(Commit());
  return rows;
}

base::Result<AttachedDatabase::Rows> AttachedDatabase::Ask(const std::string& sql, int columns) {
  HideQuestion(sql);
  return Query(fmt::format("SELECT * FROM {}", Asked(sql)), columns);
}

void AttachedDatabase::HideQuestion(std::string_view sql) {
  session_->Hide(fmt::format("\"{}\"", sql), "\"\"");
}

std::string AttachedDatabase::Asked(std::string_view sql) const {
  const bool is_mysql = address_.kind == DatabaseKind::kMysql;
  return fmt::format("{}_query('db', {})", is_mysql ? "mysql" : "postgres", QuotedText(sql));
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
  return address_.schema.empty() ? NameThere(name) : fmt::format("{}.{}", NameThere(address_.schema), NameThere(name));
}

std::string AttachedDatabase::NameThere(std::string_view name) const {
  if (address_.kind != DatabaseKind::kMysql) return QuotedName(name);
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? "``" : std::string(1, c);
  return quoted + "`";
}

std::string AttachedDatabase::TextThere(std::string_view text) const {
  if (address_.kind != DatabaseKind::kMysql) return QuotedText(text);
  std::string escaped;
  for (const char c : text) escaped += c == '\\' ? "\\\\" : std::string(1, c);
  return QuotedText(escaped);
}

base::Result<AttachedDatabase::Rows> AttachedDatabase::Tables() {
  if (address_.kind == DatabaseKind::kSqlite) {
    return Query(
        "SELECT '', name FROM sqlite_query('db', 'SELECT name FROM sqlite_master WHERE type IN (''table'', "
        "''view'')')");
  }
  if (address_.kind == DatabaseKind::kMysql) {
    return Ask(
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN "
        "('information_schema', 'performance_schema', 'mysql', 'sys')");
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
    // Whether capitals count to MySQL is a matter of its machine: it says so itself when the table is read.
    const bool same = address_.kind == DatabaseKind::kPostgres
                          ? row[1] == name
                          : strcasecmp(row[1].c_str(), std::string(name).c_str()) == 0;
    return same && row[0] == address_.schema;
  });
}

base::Result<void> AttachedDatabase::CheckTable() {
  SLIPWAY_ASSIGN(const bool found, HasTable());
  if (found) return {};
  SLIPWAY_ASSIGN(const auto tables, Tables());
  std::vector<std::string> names;
  const bool is_mysql = address_.kind == DatabaseKind::kMysql;
  const std::string usual = is_mysql ? address_.Parameter("database") : "public";
  for (const auto& row : tables) {
    const bool plain = row[0].empty() || row[0] == usual;
    names.push_back(plain ? row[1] : row[0] + "." + row[1]);
  }
  const std::string asked = address_.schema == usual ? address_.table : address_.TableName();
  return base::Fail(base::Code::kNotFound, "tables.no_table",
                    fmt::format("there is no table {:?}{}{}", asked, is_mysql ? " that this user may see" : "",
                                base::DidYouMean(asked, names)),
                    address_.shown);
}

base::Result<std::vector<std::string>> AttachedDatabase::PrimaryKey() {
  Rows rows;
  if (address_.kind == DatabaseKind::kSqlite) {
    SLIPWAY_ASSIGN(
        rows, Query(fmt::format("SELECT name, \"type\" FROM sqlite_query('db', {}) WHERE pk <> '0' ORDER BY pk::INT",
                                QuotedText(fmt::format("PRAGMA table_info({})", QuotedName(address_.table))))));
  } else if (address_.kind == DatabaseKind::kMysql) {
    SLIPWAY_ASSIGN(rows, Ask(fmt::format("SELECT COLUMN_NAME, '' AS nothing FROM information_schema.KEY_COLUMN_USAGE "
                                         "WHERE CONSTRAINT_NAME = 'PRIMARY' AND TABLE_SCHEMA = {} AND TABLE_NAME = {} "
                                         "ORDER BY ORDINAL_POSITION",
                                         TextThere(address_.schema), TextThere(address_.table))));
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
