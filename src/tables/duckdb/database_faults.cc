#include "tables/duckdb/database_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"

namespace slipway::tables::duckdb {
namespace {

using base::Code;

bool HasAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// What DuckDB puts before the words of the database. Questions and connections were taken out of them.
std::string_view WithoutPreface(std::string_view text) {
  for (const std::string_view mark : {"FATAL:  ", "ERROR:  ", "MySQL query \"\": ", "with parameters \"\": "}) {
    if (const size_t at = text.find(mark); at != std::string_view::npos) return text.substr(at + mark.size());
  }
  constexpr std::string_view kSays = "DuckDB says: ";
  return text.starts_with(kSays) ? text.substr(kSays.size()) : text;
}

bool IsLoginFault(std::string_view text) {
  return HasAny(
      text, {"password authentication failed", "no password supplied", "authentication failed", "(using password: "});
}

bool IsLostConnection(std::string_view text) {
  return HasAny(text,
                {"Unable to connect", "connection to server", "server closed the connection", "terminating connection",
                 "could not receive data", "no connection to the server", "could not send data", "SSL SYSCALL",
                 "Failed to connect", "connection pointer is NULL", "the database system is", "Connection refused",
                 "could not translate host name", "canceling statement due to",
                 // MySQL's
                 "Lost connection", "has gone away", "Server shutdown in progress", "Connection was killed",
                 "Query execution was interrupted", "Too many connections", "TLS/SSL error"});
}

/// What another process at work on the same rows or file may cause, and what a later try may not meet.
bool IsPassing(std::string_view text) {
  return HasAny(text, {"could not serialize access", "deadlock detected", "database is locked", "disk is full",
                       "No space left", "could not extend file", "out of shared memory", "Deadlock found",
                       "Lock wait timeout", "Table definition has changed"});
}

base::Error OfSqlite(const DatabaseAddress& address, base::Error error) {
  const std::string text = error.message;
  if (HasAny(text, {"file is not a database"})) {
    return {Code::kInvalidArgument, "tables.not_a_database", "this is no SQLite database; check the path",
            address.shown};
  }
  constexpr std::string_view kMismatch = "Mismatch Type Error: ";
  if (const size_t at = text.find(kMismatch); at != std::string::npos) {
    const auto words = std::string_view(text).substr(at + kMismatch.size());
    return {Code::kInvalidArgument, "tables.mistyped",
            fmt::format("SQLite keeps a value that is not of its column's type: {} Mend it, or take texts and cast "
                        "them: query=SELECT TRY_CAST(a AS DOUBLE) AS a, … FROM sqlite_query('db', 'SELECT * FROM …')",
                        words.substr(0, words.find(" *"))),
            address.shown};
  }
  if (IsPassing(text) || HasAny(text, {"Unable to open database", "readonly database", "disk I/O error"})) {
    return {Code::kUnavailable, "tables.connection", fmt::format("SQLite says: {}", WithoutPreface(text)),
            address.shown};
  }
  return error;
}

/// What only DuckDB's door to MySQL says.
base::Error OfMysqlAlone(const DatabaseAddress& address, base::Error error) {
  if (HasAny(error.message, {"Failed to fetch return types"})) {
    return {Code::kInvalidArgument, "tables.sql", "the query answers no rows; name one that does", address.shown};
  }
  if (HasAny(error.message, {"Could not convert string", "Could not cast value"})) {
    return {Code::kInvalidArgument, "tables.mistyped",
            fmt::format("a value does not fit the type that its column is described by: {}; cast it in the query: "
                        "SELECT CAST(a AS DOUBLE) AS a, …",
                        base::Trim(WithoutPreface(error.message))),
            address.shown};
  }
  return error;
}

}  // namespace

base::Error Told(const DatabaseAddress& address, base::Error error) {
  error.where = address.shown;
  if (address.kind == DatabaseKind::kSqlite) return OfSqlite(address, std::move(error));
  const bool is_mysql = address.kind == DatabaseKind::kMysql;
  const std::string_view server = is_mysql ? "MySQL" : "PostgreSQL";
  const std::string text = error.message;
  // Behind the words of MySQL's client come those of DuckDB.
  const std::string_view reason = WithoutPreface(text);
  const std::string words(base::Trim(base::Shorten(reason.substr(0, reason.find(". Attempted host")), 512)));
  if (IsLoginFault(text)) {
    return {Code::kUnavailable, "tables.login",
            fmt::format("{} says: {}; give the password in {} (one in the address counts for `run` alone: a job's "
                        "record does not keep it)",
                        server, words, is_mysql ? "MYSQL_PWD" : "PGPASSWORD, in ~/.pgpass or by PGSERVICE"),
            address.shown};
  }
  if (error.reason == "tables.connection" || IsLostConnection(text)) {
    return {Code::kUnavailable, "tables.connection", fmt::format("{} cannot be reached: {}", server, words),
            address.shown};
  }
  if (IsPassing(text)) {
    return {Code::kUnavailable, "tables.connection", fmt::format("{} says: {}", server, words), address.shown};
  }
  if (HasAny(text, {"ERROR:  ", "MySQL query \"\": "})) {
    error.message = fmt::format("{} says: {}", server, words);
    if (is_mysql) error.code = Code::kInvalidArgument;  // of which DuckDB makes faults of the machine
    return error;
  }
  return is_mysql ? OfMysqlAlone(address, std::move(error)) : error;
}

}  // namespace slipway::tables::duckdb
