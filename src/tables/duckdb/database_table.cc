#include "tables/database_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "tables/duckdb/attached_database.h"
#include "tables/duckdb/vector_writer.h"

namespace slipway::tables {
namespace {

using data::ScalarType;
using duckdb::Access;
using duckdb::AttachedDatabase;
using duckdb::OutputColumn;
using duckdb::QuotedName;
using duckdb::QuotedPath;
using duckdb::QuotedText;

constexpr std::string_view kJobs = "slipway_jobs";
/// Makers of tables take turns by it.
constexpr std::string_view kTakeTurns =
    "SELECT 1 AS turn FROM pg_advisory_xact_lock(hashtextextended('slipway_jobs', 0))";

std::string ListOf(const std::vector<std::string>& names, std::string_view before = {},
                   std::string_view between = ", ") {
  std::string list;
  for (const auto& name : names) {
    list += fmt::format("{}{}{}", list.empty() ? "" : between, before, QuotedName(name));
  }
  return list;
}

/// "a.x = b.x AND a.y = b.y", or with another word between.
std::string PairsOf(const std::vector<std::string>& names, std::string_view left, std::string_view right,
                    std::string_view between) {
  std::string pairs;
  for (const auto& name : names) {
    pairs += fmt::format("{0}{1}{3} = {2}{3}", pairs.empty() ? "" : between, left, right, QuotedName(name));
  }
  return pairs;
}

/// A column of a table that is there.
struct TargetColumn {
  std::string name, type;
  bool must_be_given = false;  ///< not null, and nothing else fills it
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

bool BeginsWithAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.starts_with(word); });
}

/// Whether values of ours keep their meaning in a column of PostgreSQL.
bool FitsPostgres(const OutputColumn& column, std::string_view type) {
  const bool is_list = type.ends_with("[]");  // of any number of dimensions
  if (is_list != !column.type.is_scalar()) return false;
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      return type.starts_with("boolean");
    case ScalarType::kInteger:
      return BeginsWithAny(type, {"bigint", "integer", "smallint", "numeric", "double precision"});
    case ScalarType::kNumber:
      return BeginsWithAny(type, {"double precision", "real", "numeric"});
    case ScalarType::kTimestamp:
      return BeginsWithAny(type, {"timestamp"});
    case ScalarType::kString:
      return !BeginsWithAny(type, {"boolean", "bigint", "integer", "smallint", "numeric", "double precision", "real",
                                   "timestamp", "date", "time", "interval", "bytea", "money", "oid"});
  }
  return false;
}

/// SQLite keeps any value in any column, but those of other kinds are changed on the way (its "affinity").
bool FitsSqlite(const OutputColumn& column, std::string_view declared) {
  const std::string type = Lower(declared);
  const auto has = [&](std::string_view word) { return type.find(word) != std::string::npos; };
  const bool integer = has("int") || has("bool");
  const bool number = has("real") || has("floa") || has("doub") || has("numeric") || has("decimal");
  const bool text = has("char") || has("text") || has("clob") || has("json");
  if (!column.type.is_scalar()) return text;
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      return integer || number;
    case ScalarType::kInteger:
      return integer || number;
    case ScalarType::kNumber:
      return number;
    case ScalarType::kTimestamp:
      return text || has("date") || has("time");
    case ScalarType::kString:
      return text;
  }
  return false;
}

std::string PostgresType(const OutputColumn& column) {
  std::string type;
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      type = "boolean";
      break;
    case ScalarType::kInteger:
      type = "bigint";
      break;
    case ScalarType::kNumber:
      type = column.single_precision ? "real" : "double precision";
      break;
    case ScalarType::kTimestamp:
      type = "timestamp with time zone";
      break;
    case ScalarType::kString:
      type = "text";
      break;
  }
  return column.type.is_scalar() ? type : type + "[]";
}

/// In DuckDB's words, which its door to SQLite turns into SQLite's.
std::string SqliteType(const OutputColumn& column) {
  if (!column.type.is_scalar()) return "VARCHAR";
  switch (column.type.scalar) {
    case ScalarType::kBoolean:
      return "BOOLEAN";
    case ScalarType::kInteger:
      return "BIGINT";
    case ScalarType::kNumber:
      return "DOUBLE";
    case ScalarType::kTimestamp:
    case ScalarType::kString:
      return "VARCHAR";
  }
  return "VARCHAR";
}

/// SQLite has neither lists nor times: they are written as JSON lines have them.
std::string SqliteValue(const OutputColumn& column) {
  std::string name = QuotedName(column.name);
  if (!column.type.is_scalar()) return fmt::format("to_json({})::VARCHAR", name);
  if (column.type.scalar != ScalarType::kTimestamp) return name;
  return fmt::format(
      "strftime({0} AT TIME ZONE 'UTC', CASE WHEN epoch_us({0}) % 1000000 = 0 THEN '%Y-%m-%dT%H:%M:%SZ' ELSE "
      "'%Y-%m-%dT%H:%M:%S.%fZ' END)",
      name);
}

class Target final : public DatabaseTable {
 public:
  Target(std::unique_ptr<AttachedDatabase> database, const DatabaseAddress& address)
      : database_(std::move(database)), address_(address) {}

  base::Result<void> Check(const std::vector<data::Field>& fields) override {
    const auto columns = duckdb::OutputColumnsOf(fields);
    for (const auto& key : address_.key) {
      if (std::ranges::find(columns, key, &OutputColumn::name) != columns.end()) continue;
      return base::Fail(
          base::Code::kInvalidArgument, "tables.key",
          fmt::format("the key names {:?}, which is no column of the answers; carry it along with --keep", key),
          address_.shown);
    }
    std::error_code ignored;
    if (!is_postgres() && !std::filesystem::exists(address_.file, ignored)) {
      const auto folder = std::filesystem::path(address_.file).parent_path();
      if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return {};
      return Unfit(fmt::format("there is no folder {}; create it first", folder.string()));
    }
    SLIPWAY_TRY(CheckSchema());
    SLIPWAY_ASSIGN(const bool exists, database_->HasTable());
    if (!exists) return {};
    SLIPWAY_ASSIGN(const auto there, Columns());
    for (const auto& column : columns) SLIPWAY_TRY(CheckColumn(column, fields[column.field].as_text, there));
    for (const auto& column : there) {
      if (!column.must_be_given || std::ranges::find(columns, column.name, &OutputColumn::name) != columns.end())
        continue;
      return Unfit(
          fmt::format("the table {:?} has a column {:?} that must not be null, and no answer fills it; carry one "
                      "along with --keep, or give the column a default",
                      address_.TableName(), column.name));
    }
    return CheckRights();
  }

  base::Result<void> Write(const std::vector<data::Field>& fields, const DatabaseRows& rows) override {
    columns_ = duckdb::OutputColumnsOf(fields);
    names_.clear();
    for (const auto& column : columns_) names_.push_back(column.name);
    SLIPWAY_ASSIGN(const bool written, WasWritten(rows.id));
    if (written) return {};
    if (!address_.key.empty() && !rows.files.empty()) SLIPWAY_TRY(CheckKeys(rows));
    SLIPWAY_TRY(database_->Begin());
    auto done = WriteAll(rows);
    if (done) done = database_->Commit();
    if (!done) {
      database_->RollBack();
      return std::unexpected(Refused(done.error()));
    }
    return {};
  }

 private:
  bool is_postgres() const { return address_.kind == DatabaseKind::kPostgres; }

  std::unexpected<base::Error> Unfit(std::string message) const {
    return base::Fail(base::Code::kFailedPrecondition, "tables.target", std::move(message), address_.shown);
  }

  base::Error Refused(base::Error error) const {
    if (error.reason == "tables.duckdb") {
      error.code = base::Code::kFailedPrecondition;
      error.reason = "tables.target";
      error.message = fmt::format("the table {:?} does not take the rows, and is as it was: {}", address_.TableName(),
                                  error.message);
    }
    return error;
  }

  base::Result<void> CheckSchema() {
    if (!is_postgres()) return {};
    const auto& schema = database_->address().schema;
    SLIPWAY_ASSIGN(const auto rows,
                   database_->Ask(fmt::format(
                       "SELECT has_schema_privilege(n.oid, 'CREATE')::text, '' AS nothing FROM pg_namespace n "
                       "WHERE nspname = {}",
                       QuotedText(schema))));
    if (rows.empty()) return Unfit(fmt::format("there is no schema {:?}; create it first", schema));
    SLIPWAY_ASSIGN(const bool has_table, database_->HasTable());
    SLIPWAY_ASSIGN(const bool has_jobs, database_->HasTable(kJobs));
    if (rows[0][0] == "true" || (has_table && has_jobs)) return {};
    return Unfit(
        fmt::format("the table {:?} cannot be made: creating tables in the schema {:?} is not allowed to this "
                    "user; have both made, or name another schema",
                    has_table ? kJobs : std::string_view(address_.table), schema));
  }

  base::Result<void> CheckRights() {
    if (!is_postgres()) return {};
    std::string rights = "INSERT";
    if (address_.mode == WriteMode::kUpsert) rights = "INSERT,SELECT,UPDATE";
    if (address_.mode == WriteMode::kReplace) rights = "INSERT,DELETE";
    for (std::string_view rest = rights; !rest.empty();) {
      const std::string_view right = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(right.size() + 1, rest.size()));
      SLIPWAY_ASSIGN(const auto rows,
                     database_->Ask(fmt::format("SELECT has_table_privilege({}, '{}')::text, current_user::text",
                                                QuotedText(database_->TableThere()), right)));
      if (rows.empty() || rows[0][0] == "true") continue;
      return Unfit(
          fmt::format("the user {} may not {} in the table {:?}; grant it", rows[0][1], right, address_.TableName()));
    }
    return {};
  }

  base::Result<std::vector<TargetColumn>> Columns() {
    AttachedDatabase::Rows rows;
    if (is_postgres()) {
      SLIPWAY_ASSIGN(
          rows,
          database_->Ask(
              fmt::format("SELECT attname::text, format_type(atttypid, atttypmod), (attnotnull AND NOT atthasdef AND "
                          "attidentity = '')::text FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0 "
                          "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                          QuotedText(database_->TableThere())),
              3));
    } else {
      SLIPWAY_ASSIGN(
          rows, database_->Query(
                    fmt::format("SELECT name, \"type\", (\"notnull\" <> '0' AND dflt_value IS NULL AND (pk = '0' OR "
                                "\"type\" NOT ILIKE 'integer'))::VARCHAR FROM sqlite_query('db', {})",
                                QuotedText(fmt::format("PRAGMA table_info({})", QuotedName(address_.table)))),
                    3));
    }
    std::vector<TargetColumn> columns;
    for (const auto& row : rows) columns.push_back({.name = row[0], .type = row[1], .must_be_given = row[2] == "true"});
    return columns;
  }

  /// `is_written_text`: of a text file, that has no types; the table takes its values apart.
  base::Result<void> CheckColumn(const OutputColumn& column, bool is_written_text,
                                 const std::vector<TargetColumn>& there) {
    const auto found = std::ranges::find(there, column.name, &TargetColumn::name);
    const std::string wanted = is_postgres() ? PostgresType(column) : SqliteType(column);
    if (found == there.end()) {
      std::vector<std::string> names;
      for (const auto& known : there) names.push_back(known.name);
      return Unfit(
          fmt::format("the table {:?} has no column {:?} for the answers{}; add it: ALTER TABLE {} ADD COLUMN {} {}",
                      address_.TableName(), column.name, base::DidYouMean(column.name, names), database_->TableThere(),
                      QuotedName(column.name), wanted));
    }
    if (is_written_text) return {};
    if (is_postgres() ? FitsPostgres(column, found->type) : FitsSqlite(column, found->type)) return {};
    return Unfit(
        fmt::format("the table {:?} has a column {:?} of the type {}, and the answers need {}; change it, or name "
                    "another table",
                    address_.TableName(), column.name, found->type.empty() ? "(none)" : found->type, wanted));
  }

  base::Result<bool> WasWritten(const std::string& id) {
    SLIPWAY_ASSIGN(const bool exists, database_->HasTable(kJobs));
    if (!exists) return false;
    SLIPWAY_ASSIGN(const auto rows, database_->Query(fmt::format("SELECT job, job FROM {} WHERE job = {}",
                                                                 database_->TableHere(kJobs), QuotedText(id))));
    return !rows.empty();
  }

  /// The rows for DuckDB, with values as the table takes them.
  std::string Rows(const DatabaseRows& rows) const {
    std::vector<std::string> files, values;
    for (const auto& file : rows.files) files.push_back(QuotedPath(file));
    for (const auto& column : columns_) {
      values.push_back(is_postgres() ? QuotedName(column.name)
                                     : fmt::format("{} AS {}", SqliteValue(column), QuotedName(column.name)));
    }
    return fmt::format("SELECT {} FROM read_parquet([{}], hive_partitioning = false)", fmt::join(values, ", "),
                       fmt::join(files, ", "));
  }

  /// Rows are found again by their keys, so no two may have the same, and none may lack one.
  base::Result<void> CheckKeys(const DatabaseRows& rows) {
    std::vector<std::string> files, shown, nulls;
    for (const auto& file : rows.files) files.push_back(QuotedPath(file));
    for (const auto& key : address_.key) {
      shown.push_back(fmt::format("{} || ' = ' || coalesce({}::VARCHAR, 'null')", QuotedText(key), QuotedName(key)));
      nulls.push_back(fmt::format("{} IS NULL", QuotedName(key)));
    }
    const std::string sql = fmt::format(
        "SELECT concat_ws(', ', {0}) AS shown, count(*)::VARCHAR, min(filename || printf('%020d', file_row_number)) AS "
        "place "
        "FROM read_parquet([{1}], hive_partitioning = false, filename = true, file_row_number = true) GROUP BY {2} "
        "HAVING count(*) > 1 OR {3} "
        "ORDER BY place LIMIT 1",
        fmt::join(shown, ", "), fmt::join(files, ", "), ListOf(address_.key), fmt::join(nulls, " OR "));
    SLIPWAY_ASSIGN(const auto found, database_->Query(sql));
    if (found.empty()) return {};
    const bool twice = found[0][1] != "1";
    return base::Fail(base::Code::kFailedPrecondition, "tables.duplicate_key",
                      fmt::format("{} ({}), and mode=upsert finds rows by it; nothing was written. Mend the input, "
                                  "remove the job's folder and run the job again",
                                  twice ? fmt::format("{} answers have the same key", found[0][1])
                                        : std::string("an answer has no key"),
                                  found[0][0]),
                      address_.shown);
  }

  base::Result<void> WriteAll(const DatabaseRows& rows) {
    SLIPWAY_TRY(MakeTables());
    if (address_.mode == WriteMode::kReplace)
      SLIPWAY_TRY(
          Change(fmt::format("DELETE FROM {}", is_postgres() ? database_->TableThere() : database_->TableHere())));
    if (!rows.files.empty()) {
      SLIPWAY_TRY(address_.mode == WriteMode::kUpsert
                      ? Upsert(rows)
                      : database_->Run(
                            fmt::format("INSERT INTO {} ({}) {}", database_->TableHere(), ListOf(names_), Rows(rows))));
    }
    // The same id twice breaks the key, so that of two writers one fails.
    return database_->Run(
        fmt::format("INSERT INTO {} (job, \"rows\", digest, finished) VALUES ({}, {}, {}, {})",
                    database_->TableHere(kJobs), QuotedText(rows.id), rows.rows, QuotedText(rows.digest),
                    is_postgres() ? "now()" : "strftime(now() AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"));
  }

  /// A statement in the database's own words where it has some for us, in DuckDB's otherwise.
  base::Result<void> Change(const std::string& sql) {
    return is_postgres() ? database_->Execute(sql) : database_->Run(sql);
  }

  base::Result<void> MakeTables() {
    SLIPWAY_ASSIGN(const bool has_table, database_->HasTable());
    SLIPWAY_ASSIGN(const bool has_jobs, database_->HasTable(kJobs));
    if (has_table && has_jobs) return {};
    if (is_postgres()) SLIPWAY_TRY(database_->Ask(std::string(kTakeTurns), 1));
    std::vector<std::string> columns;
    for (const auto& column : columns_) {
      columns.push_back(
          fmt::format("{} {}", QuotedName(column.name), is_postgres() ? PostgresType(column) : SqliteType(column)));
    }
    if (!address_.key.empty()) columns.push_back(fmt::format("PRIMARY KEY ({})", ListOf(address_.key)));
    const auto name = [&](std::string_view table) {
      return is_postgres() ? database_->TableThere(table) : database_->TableHere(table);
    };
    SLIPWAY_TRY(
        Change(fmt::format("CREATE TABLE IF NOT EXISTS {} ({})", name(address_.table), fmt::join(columns, ", "))));
    SLIPWAY_TRY(Change(
        fmt::format("CREATE TABLE IF NOT EXISTS {} (job {} PRIMARY KEY, \"rows\" bigint, digest {}, finished {})",
                    name(kJobs), is_postgres() ? "text" : "VARCHAR", is_postgres() ? "text" : "VARCHAR",
                    is_postgres() ? "timestamp with time zone" : "VARCHAR")));
    return is_postgres() ? database_->Run("CALL pg_clear_cache()") : base::Result<void>();
  }

  base::Result<void> Upsert(const DatabaseRows& rows) {
    std::vector<std::string> values;
    for (const auto& name : names_) {
      if (std::ranges::find(address_.key, name) == address_.key.end()) values.push_back(name);
    }
    std::string table = database_->TableHere(), from = fmt::format("({})", Rows(rows));
    if (is_postgres()) {
      // The server updates its rows by itself, out of a table that goes with the transaction.
      table = database_->TableThere();
      from = "pg_temp.slipway_rows";
      SLIPWAY_TRY(database_->Execute(fmt::format(
          "CREATE TEMP TABLE slipway_rows ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0", ListOf(names_), table)));
      SLIPWAY_TRY(database_->Run("CALL pg_clear_cache()"));
      SLIPWAY_TRY(
          database_->Run(fmt::format("INSERT INTO db.pg_temp.slipway_rows ({}) {}", ListOf(names_), Rows(rows))));
      SLIPWAY_TRY(database_->Execute("ANALYZE pg_temp.slipway_rows"));
      // Nobody else may insert a key between the two statements below.
      SLIPWAY_TRY(database_->Execute(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table)));
    }
    const std::string same = PairsOf(address_.key, "old.", "new.", " AND ");
    if (!values.empty()) {
      SLIPWAY_TRY(Change(fmt::format("UPDATE {} AS old SET {} FROM {} AS new WHERE {}", table,
                                     PairsOf(values, "", "new.", ", "), from, same)));
    }
    return Change(
        fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} AS new WHERE NOT EXISTS (SELECT 1 FROM {} AS old WHERE {})",
                    table, ListOf(names_), ListOf(names_, "new."), from, table, same));
  }

  std::unique_ptr<AttachedDatabase> database_;
  DatabaseAddress address_;
  std::vector<OutputColumn> columns_;
  std::vector<std::string> names_;
};

}  // namespace

base::Result<std::unique_ptr<DatabaseTable>> DatabaseTable::Open(const DatabaseAddress& target,
                                                                 const DatabaseTableOptions& options) {
  duckdb::SessionOptions session;
  session.threads = options.threads;
  session.memory = options.memory;
  session.folder = options.reads_from;
  SLIPWAY_ASSIGN(auto database, AttachedDatabase::Open(target, Access::kWrite, session));
  return std::make_unique<Target>(std::move(database), target);
}

}  // namespace slipway::tables
