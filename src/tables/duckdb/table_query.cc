#include "tables/table_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <utility>

#include "base/hash.h"
#include "base/machine.h"
#include "base/text.h"
#include "tables/csv_text.h"
#include "tables/duckdb/attached_database.h"
#include "tables/duckdb/function_call.h"
#include "tables/duckdb/server_columns.h"
#include "tables/duckdb/stored_type.h"
#include "tables/input_file.h"
#include "tables/output_file.h"
#include "tables/sql_text.h"

namespace slipway::tables {
namespace {

using duckdb::Access;
using duckdb::AttachedDatabase;
using duckdb::QuotedName;
using duckdb::QuotedPath;
using duckdb::QuotedText;
using duckdb::Session;

/// Groups of rows as large as a part of a job, which then reads one.
constexpr int64_t kGroupRows = 65536;

/// A question without the semicolon that may end it.
std::string_view WithoutEnd(std::string_view sql) {
  sql = base::Trim(sql);
  while (sql.ends_with(';')) sql = base::Trim(sql.substr(0, sql.size() - 1));
  return sql;
}

std::string InBrackets(std::string_view sql) {
  return fmt::format("({}\n)", WithoutEnd(sql));
}

/// DuckDB's reader for files of that format.
base::Result<std::string> ReaderOf(const std::vector<std::string>& files, std::optional<Format> named) {
  const auto format_of = [&](const auto& file) { return named ? base::Result<Format>(*named) : FormatOf(file); };
  SLIPWAY_ASSIGN(const Format format, format_of(files.front()));
  std::vector<std::string> names;
  for (const auto& file : files) {
    SLIPWAY_ASSIGN(const Format other, format_of(file));
    if (other != format) {
      return base::Fail(base::Code::kInvalidArgument, "tables.sql",
                        "`input` of a query stands for files of one format; name the others in the query", file);
    }
    names.push_back(QuotedPath(file));
  }
  const std::string list = fmt::format("[{}]", fmt::join(names, ", "));
  if (format == Format::kParquet) return fmt::format("read_parquet({})", list);
  if (IsSeparated(format))
    return fmt::format("read_csv({}, delim = {})", list, QuotedText(std::string(1, DelimiterOf(format))));
  return fmt::format("read_json_auto({})", list);
}

class Question final : public TableQuery {
 public:
  explicit Question(QuestionText text) : text_(std::move(text)) {}

  base::Result<void> Open(const QueryOptions& options) {
    duckdb::SessionOptions session;
    session.threads = options.threads > 0 ? options.threads : base::CpuBudget();
    session.memory = options.memory;
    // What SQL may name is the user's own choice; it can only be read, for only a SELECT is run.
    session.folder = text_.sql.empty() ? options.writes_to : "/";
    session.preparations = {"SET enable_progress_bar = true", "SET enable_progress_bar_print = false"};
    if (!text_.copies.empty()) session.hidden.emplace_back(text_.copies + "/", "s3://");
    if (!text_.folder.empty()) {
      session.preparations.push_back(fmt::format("SET file_search_path = {}", QuotedText(text_.folder)));
    }
    if (text_.database) {
      SLIPWAY_ASSIGN(database_, AttachedDatabase::Open(*text_.database, Access::kRead, session));
      SLIPWAY_TRY(AskDatabase());
    } else {
      SLIPWAY_ASSIGN(session_, Session::Open(session));
      if (!text_.files.empty()) {
        SLIPWAY_ASSIGN(relation_, ReaderOf(text_.files, text_.format));
      }
    }
    if (text_.function != nullptr) {
      call_ = std::make_unique<duckdb::FunctionCall>(*text_.function);
      SLIPWAY_TRY(call_->Register(this->session()));
    }
    if (!text_.sql.empty()) SLIPWAY_TRY(AskBySql());
    if (columns_.empty()) SLIPWAY_TRY(Describe(fmt::format("SELECT * FROM {}", relation_)));
    if (!call_) return {};
    spread_ = Spread();
    columns_.clear();
    return Describe(spread_);
  }

  const std::vector<StoredColumn>& columns() const override { return columns_; }

  base::Result<WrittenRows> WriteTo(const std::string& path, const std::vector<std::string>& names,
                                    std::optional<int64_t> limit, const QueryHooks& hooks) override {
    const std::string temporary = TemporaryNameFor(path);
    const std::string sql =
        fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}, USE_TMP_FILE false)",
                    Selection(names, limit), QuotedText(temporary), kGroupRows);
    auto done = RunWatched(
        [&] {
          auto filled = Fill();
          return filled ? Run(sql) : filled;
        },
        temporary, hooks);
    if (done) done = GiveName(temporary, path);
    if (!done) {
      std::remove(temporary.c_str());
      return std::unexpected(done.error());
    }
    return Measure(path);
  }

  base::Result<int64_t> Export(const std::string& path, Format format, const QueryHooks& hooks) override {
    SLIPWAY_ASSIGN(const auto form, CopyOptions(path, format));
    const bool streams = path == "-";
    const std::string file = streams ? "/dev/stdout" : TemporaryNameFor(path);
    const std::string sql = fmt::format("COPY ({}) TO {} ({}, USE_TMP_FILE false)", spread_, QuotedText(file), form);
    AttachedDatabase::Rows counted;
    auto done = RunWatched(
        [&]() -> base::Result<void> {
          SLIPWAY_TRY(Fill());
          auto rows = database_ ? database_->Query(sql, 1) : session_->QueryTexts(sql, 1);
          if (!rows) return std::unexpected(Told(rows.error()));
          counted = *std::move(rows);
          return {};
        },
        file, hooks);
    if (done && !streams) done = GiveName(file, path);
    if (!done && !streams) std::remove(file.c_str());
    if (!done) return std::unexpected(done.error());
    return counted.empty() ? 0 : base::ParseInt64(counted[0][0]).value_or(0);
  }

 private:
  static base::Result<std::string> CopyOptions(const std::string& path, Format format) {
    if (IsPackedName(path)) {
      return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                        "rows of a query are written as they are, not packed", path);
    }
    if (IsSeparated(format)) {
      return fmt::format("FORMAT csv, HEADER true, DELIMITER {}", QuotedText(std::string(1, DelimiterOf(format))));
    }
    if (format == Format::kJsonLines) return "FORMAT json";
    if (format == Format::kParquet && path != "-") return "FORMAT parquet, COMPRESSION snappy";
    return base::Fail(base::Code::kInvalidArgument, "tables.unfit",
                      "rows of a query are written as csv, tsv, ssv, jsonl or, to a file, parquet", path);
  }

  /// All columns; an answer of the function that nobody named is told by what DuckDB calls it.
  std::string Spread() const {
    std::vector<std::string> selected;
    for (const auto& column : columns_) {
      const bool unnamed =
          call_ && column.name.starts_with(text_.function->name + "(") && column.stored_type.starts_with("STRUCT");
      selected.push_back(unnamed ? fmt::format("unnest({})", QuotedName(column.name)) : QuotedName(column.name));
    }
    return fmt::format("SELECT {} FROM {}", fmt::join(selected, ", "), relation_);
  }

  Session& session() { return database_ ? database_->session() : *session_; }
  bool asks_server() const { return text_.database && text_.database->is_server(); }
  bool is_mysql() const { return text_.database && text_.database->kind == DatabaseKind::kMysql; }

  base::Error Told(base::Error error) const {
    if (error.where.empty()) error.where = text_.shown;
    return error;
  }

  base::Result<void> Run(const std::string& sql) {
    if (database_) return database_->Run(sql);
    auto done = session_->Run(sql);
    if (!done) return std::unexpected(Told(done.error()));
    return done;
  }

  /// What the database is asked, and the order of its rows.
  base::Result<void> AskDatabase() {
    const auto& address = database_->address();
    if (!address.table.empty()) {
      SLIPWAY_TRY(database_->CheckTable());
      SLIPWAY_ASSIGN(key_, database_->PrimaryKey());
    }
    if (asks_server()) return AskServer(address);
    SLIPWAY_TRY(Run("USE db"));
    if (address.query.empty()) {
      relation_ = database_->TableHere();
      return {};
    }
    SLIPWAY_TRY(Check(address.query));
    relation_ = InBrackets(address.query);
    return {};
  }

  base::Result<void> AskServer(const DatabaseAddress& address) {
    if (!address.table.empty()) {
      question_ = database_->TableThere();
    } else if (is_mysql()) {
      if (!BeginsAsQuestion(address.query)) {
        return base::Fail(base::Code::kInvalidArgument, "tables.sql",
                          "the query is no SELECT; it may only read, and the answers go to the output", address.shown);
      }
      answer_ = WithoutEnd(address.query);  // as it is, since MySQL forgets the order of rows in brackets
    } else {
      question_ = InBrackets(address.query) + " AS asked";
    }
    relation_ = FromServer(answer_.empty() ? "SELECT * FROM " + question_ : answer_);
    SLIPWAY_TRY(Describe(fmt::format("SELECT * FROM {}", relation_)));
    if (!is_mysql()) {
      asked_ = duckdb::ColumnsOfPostgres(columns_);
      return {};
    }
    if (question_.empty()) return {};
    SLIPWAY_ASSIGN(asked_, duckdb::ColumnsOfMysql(*database_));
    const auto names = Names();
    columns_.clear();
    return Describe(ServerSelection(names, std::nullopt));
  }

  /// SQL over what was found so far, as `input`.
  base::Result<void> AskBySql() {
    if (is_mysql()) {
      SLIPWAY_TRY(MakeCopy());
    } else if (!relation_.empty()) {
      if (asks_server()) relation_ = FromServer(QuestionToServer(Names(), std::nullopt, false));
      SLIPWAY_TRY(Run(fmt::format("CREATE TEMP VIEW input AS SELECT * FROM {}", relation_)));
    }
    SLIPWAY_TRY(Check(text_.sql));
    relation_ = InBrackets(text_.sql);
    columns_.clear();
    key_.clear();
    by_sql_ = true;
    return {};
  }

  /// MySQL is asked on a connection of its own by each mention of its rows, which would be of several moments: a copy
  /// of them is made when they are needed.
  base::Result<void> MakeCopy() {
    std::vector<std::string> fields;
    for (const auto& column : columns_) {
      fields.push_back(fmt::format("{} {}", QuotedName(column.name), column.stored_type));
    }
    fill_ = fmt::format("INSERT INTO input {}", ServerSelection(Names(), std::nullopt));
    return Run(fmt::format("CREATE TEMP TABLE input ({})", fmt::join(fields, ", ")));
  }

  base::Result<void> Fill() { return fill_.empty() ? base::Result<void>() : Run(std::exchange(fill_, {})); }

  base::Result<void> Check(const std::string& sql) {
    const auto fine = session().CheckQuestion(sql);
    if (!fine) return std::unexpected(Told(fine.error()));
    return {};
  }

  base::Result<void> Describe(const std::string& select) {
    const std::string sql = fmt::format("SELECT column_name, column_type FROM (DESCRIBE {})", select);
    auto rows = database_ ? database_->Query(sql) : session_->QueryTexts(sql);
    if (!rows) return std::unexpected(Told(rows.error()));
    for (const auto& row : *rows)
      columns_.push_back({.name = row[0], .type = duckdb::TypeOf(row[1]), .stored_type = row[1]});
    return {};
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& column : columns_) names.push_back(column.name);
    return names;
  }

  std::string QuestionToServer(const std::vector<std::string>& names, std::optional<int64_t> limit,
                               bool ordered) const {
    std::vector<std::string> selected, order;
    for (const auto& name : names) {
      const auto column = asked_.find(name);
      const std::string itself = database_->NameThere(name);
      const bool plain = column == asked_.end() || column->second.there.empty();
      selected.push_back(plain ? itself : fmt::format("{} AS {}", column->second.there, itself));
    }
    std::string sql = fmt::format("SELECT {} FROM {}", fmt::join(selected, ", "), question_);
    // A name alone would stand for what its column is made into.
    for (const auto& name : key_) order.push_back(fmt::format("{}.{}", question_, database_->NameThere(name)));
    if (ordered && !order.empty()) sql += fmt::format(" ORDER BY {}", fmt::join(order, ", "));
    if (limit) sql += fmt::format(" LIMIT {}", *limit);
    return sql;
  }

  /// What stands behind FROM in DuckDB for the server's answer.
  std::string FromServer(const std::string& sql) const {
    const std::string marked = database_->mark().empty() ? sql : fmt::format("{}\n{}", sql, database_->mark());
    database_->HideQuestion(marked);
    return database_->Asked(marked);
  }

  std::string ServerSelection(const std::vector<std::string>& names, std::optional<int64_t> limit) const {
    std::vector<std::string> selected;
    for (const auto& name : names) {
      const auto column = asked_.find(name);
      const bool plain = column == asked_.end() || column->second.here.empty();
      selected.push_back(plain ? QuotedName(name) : fmt::format("{} AS {}", column->second.here, QuotedName(name)));
    }
    const bool whole = !answer_.empty();
    const auto rows = FromServer(whole ? answer_ : QuestionToServer(names, limit, true));
    std::string sql = fmt::format("SELECT {} FROM {}", fmt::join(selected, ", "), rows);
    if (limit && whole) sql += fmt::format(" LIMIT {}", *limit);
    return sql;
  }

  std::string Order() const {
    if (key_.empty()) return {};
    std::vector<std::string> names;
    for (const auto& name : key_) names.push_back(QuotedName(name));
    return fmt::format(" ORDER BY {}", fmt::join(names, ", "));
  }

  std::string Selection(const std::vector<std::string>& names, std::optional<int64_t> limit) const {
    if (asks_server() && !by_sql_) return ServerSelection(names, limit);
    std::vector<std::string> selected;
    for (const auto& name : names) selected.push_back(QuotedName(name));
    std::string sql = fmt::format("SELECT {} FROM {}{}", fmt::join(selected, ", "), relation_, Order());
    if (limit) sql += fmt::format(" LIMIT {}", *limit);
    return sql;
  }

  /// Runs a statement on a thread of its own, so that it can be watched and given up.
  template <typename Statement>
  base::Result<void> RunWatched(const Statement& statement, const std::string& file, const QueryHooks& hooks) {
    auto done = std::async(std::launch::async, statement);
    bool stopped = false;
    while (done.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      if (!stopped && hooks.stop && hooks.stop()) {
        stopped = true;
        database_ ? database_->Cancel() : session_->Interrupt();
      }
      std::error_code ignored;
      const auto bytes = std::filesystem::file_size(file, ignored);
      if (hooks.on_progress) hooks.on_progress(session().Share(), ignored ? 0 : static_cast<int64_t>(bytes));
    }
    auto outcome = done.get();
    if (stopped) return base::Fail(base::Code::kAborted, "tables.stopped", "the query was stopped by a signal");
    return outcome;
  }

  base::Result<WrittenRows> Measure(const std::string& path) {
    SLIPWAY_ASSIGN(
        const auto rows,
        session().QueryTexts(fmt::format("SELECT num_rows FROM parquet_file_metadata({})", QuotedPath(path)), 1));
    WrittenRows written;
    written.rows = rows.empty() ? 0 : base::ParseInt64(rows[0][0]).value_or(0);
    SLIPWAY_ASSIGN(auto file, InputFile::Open(path));
    base::Xxh3Stream digest;
    while (true) {
      SLIPWAY_ASSIGN(const std::string_view block, file.ReadBlock());
      if (block.empty()) break;
      digest.Add(block);
      written.bytes += static_cast<int64_t>(block.size());
    }
    written.digest = digest.Digits();
    return written;
  }

  QuestionText text_;
  std::unique_ptr<duckdb::FunctionCall> call_;  ///< outlives the sessions
  std::unique_ptr<AttachedDatabase> database_;
  std::unique_ptr<Session> session_;  ///< without a database
  std::string question_;              ///< to a server: what stands behind FROM
  std::string answer_;                ///< to MySQL: a whole question
  std::string relation_;              ///< to DuckDB: what stands behind FROM
  std::string spread_;                ///< of a question that calls the function: what it exports
  std::string fill_;                  ///< a statement to run before its rows are read
  duckdb::AskedColumns asked_;
  bool by_sql_ = false;
  std::vector<std::string> key_;
  std::vector<StoredColumn> columns_;
};

}  // namespace

base::Result<std::unique_ptr<TableQuery>> TableQuery::Open(const QuestionText& text, const QueryOptions& options) {
  auto question = std::make_unique<Question>(text);
  SLIPWAY_TRY(question->Open(options));
  return question;
}

}  // namespace slipway::tables
