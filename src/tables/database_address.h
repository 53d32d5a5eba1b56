#pragma once
// DatabaseAddress: a table or a query of a database, as users write it.
//
//   sqlite:FILE?table=T                                  postgres://user@host:port/db?table=schema.T
//   sqlite:FILE?query=SELECT …                           postgres://user@host/db?query=SELECT …&sslmode=require
//   sqlite:FILE?table=T&mode=upsert&key=a,b              (as a target)
//   mysql://user@host:port/db?table=T                    (a source alone; mariadb:// is the same)
//
// A password may stand in it; nothing that is shown or kept has it.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway::tables {

enum class DatabaseKind : uint8_t { kSqlite, kPostgres, kMysql };

/// What becomes of the rows that a table holds.
enum class WriteMode : uint8_t {
  kAppend,   ///< they stay
  kUpsert,   ///< those whose key comes again get the new values
  kReplace,  ///< they go
};

struct DatabaseAddress {
  DatabaseKind kind = DatabaseKind::kSqlite;
  std::string file;                                             ///< of SQLite
  std::vector<std::pair<std::string, std::string>> parameters;  ///< of a server, by its client library's names
  std::string schema, table;                                    ///< schema: empty for the one that the server takes
  std::string query;                                            ///< in place of a table
  WriteMode mode = WriteMode::kAppend;
  std::vector<std::string> key;
  std::string shown;  ///< as it was written, without a password

  bool is_server() const { return kind != DatabaseKind::kSqlite; }
  /// What the database is opened by: a path, or the client library's parameters in a line.
  std::string Connection() const;
  /// Of a server, as it was given; empty when it was not.
  std::string Parameter(std::string_view name) const;
  /// "schema.T" or "T".
  std::string TableName() const { return schema.empty() ? table : schema + "." + table; }
};

/// Whether the text is meant as one: it begins with sqlite:, postgres://, postgresql://, mysql:// or mariadb://.
bool IsDatabaseAddress(std::string_view text);

/// The text without the password; other texts as they are.
std::string WithoutPassword(std::string_view text);

/// The same with an absolute path, for SQLite.
std::string WithAbsolutePath(std::string_view text);

/// Errors: invalid_argument "usage", without the password.
base::Result<DatabaseAddress> ParseDatabaseAddress(std::string_view text);
/// What to read: a table or a query.
base::Result<DatabaseAddress> ParseDatabaseSource(std::string_view text);
/// What to write: a table, with a key when rows are to be found again. Not of MySQL.
base::Result<DatabaseAddress> ParseDatabaseTarget(std::string_view text);

}  // namespace slipway::tables
