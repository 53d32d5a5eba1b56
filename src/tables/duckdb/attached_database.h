#pragma once
// AttachedDatabase: a session in which one SQLite file, or a database of a PostgreSQL or MySQL server, stands as the
// database `db`.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tables/database_address.h"
#include "tables/duckdb/session.h"

namespace slipway::tables::duckdb {

enum class Access : uint8_t { kRead, kWrite };

/// Errors of all methods: unavailable "tables.connection" (no server, no permission, a connection that was lost),
/// with the way out; else those of Session. No message holds a password. Thread-safety: one thread at a time, but
/// Cancel() from any.
class AttachedDatabase {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  /// `options`: what else the session may touch. A file is made for Access::kWrite; error: not_found "tables.missing"
  /// otherwise.
  static base::Result<std::unique_ptr<AttachedDatabase>> Open(const DatabaseAddress& address, Access access,
                                                              SessionOptions options);
  ~AttachedDatabase();

  Session& session() { return *session_; }
  const DatabaseAddress& address() const { return address_; }

  /// Ends the running statement, also where the server is at work on it. From any thread.
  void Cancel();

  /// With Access::kRead one has begun, so that all that is read is of one moment.
  base::Result<void> Begin();
  base::Result<void> Commit();
  void RollBack();

  base::Result<void> Run(const std::string& sql);
  base::Result<Rows> Query(const std::string& sql, int columns = 2);
  /// A question to a server in its own words; to PostgreSQL within the transaction.
  base::Result<Rows> Ask(const std::string& sql, int columns = 2);
  /// The same as what stands behind FROM in DuckDB.
  std::string Asked(std::string_view sql) const;
  /// A statement of PostgreSQL's own, likewise.
  base::Result<void> Execute(const std::string& sql);

  /// The table of the address, for DuckDB: db."schema"."T".
  std::string TableHere() const;
  /// Likewise, any table beside it.
  std::string TableHere(std::string_view name) const;
  /// The table of the address, for the database itself: "schema"."T".
  std::string TableThere() const;
  std::string TableThere(std::string_view name) const;
  /// Messages, of which long ones are cut, have what the server says and not what it was asked.
  void HideQuestion(std::string_view sql);
  /// A name and a text in the words of the database itself.
  std::string NameThere(std::string_view name) const;
  std::string TextThere(std::string_view text) const;
  /// A comment to put into long questions to MySQL, so that Cancel() finds them; empty for others.
  const std::string& mark() const { return mark_; }

  /// What the table's rows are put in order by: its primary key. Empty when there is none, or when they stand in its
  /// order already.
  base::Result<std::vector<std::string>> PrimaryKey();
  base::Result<bool> HasTable();
  base::Result<bool> HasTable(std::string_view name);
  /// not_found "tables.no_table", with the nearest name that there is.
  base::Result<void> CheckTable();

 private:
  explicit AttachedDatabase(DatabaseAddress address) : address_(std::move(address)) {}
  base::Result<void> LearnOfServer(bool reads);
  base::Result<void> CheckIsolation();
  void EndMarked();
  base::Result<Rows> Tables();

  DatabaseAddress address_;
  std::unique_ptr<Session> session_;
  bool in_transaction_ = false;
  std::string backend_;  ///< of PostgreSQL, that answers
  std::string mark_;     ///< of questions to MySQL
};

}  // namespace slipway::tables::duckdb
