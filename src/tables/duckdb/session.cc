#include "tables/duckdb/session.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "tables/duckdb/row_appender.h"
#include "tables/row_source.h"
#include "tables/sql_text.h"

namespace slipway::tables::duckdb {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == '\0') continue;  // ends SQL for DuckDB; no name of a file or column that it can read holds one
    quoted += c;
    if (c == quote) quoted += quote;
  }
  return quoted + quote;
}

/// A query result that cleans up.
class ResultHandle {
 public:
  explicit ResultHandle(const Library& library) : library_(library) {}
  ~ResultHandle() { SLIPWAY_DUCKDB(library_, duckdb_destroy_result)(&result_); }
  ResultHandle(const ResultHandle&) = delete;
  duckdb_result& get() { return result_; }

 private:
  const Library& library_;
  duckdb_result result_{};
};

}  // namespace

std::string QuotedText(std::string_view text) {
  return Quoted(text, '\'');
}
std::string QuotedPath(std::string_view path) {
  return QuotedText(ExactPattern(path));
}
std::string QuotedName(std::string_view name) {
  return Quoted(name, '"');
}

/// DuckDB's words, without the SQL it quotes on the lines below.
std::unexpected<base::Error> Session::Fault(const char* words) const {
  std::string line = words ? words : "no reason given";
  for (const auto& [secret, shown] : hidden_) {
    if (secret.empty()) continue;
    for (size_t at = line.find(secret); at != std::string::npos; at = line.find(secret, at + shown.size())) {
      line.replace(at, secret.size(), shown);
    }
  }
  line.resize(std::min(line.find("\n\n"), line.size()));
  std::ranges::replace(line, '\n', ' ');
  const bool machine = line.starts_with("Out of Memory") ||
                       (line.starts_with("IO Error") && line.find("magic bytes") == std::string::npos &&
                        line.find("No files found") == std::string::npos);
  return base::Fail(machine ? base::Code::kUnavailable : base::Code::kInvalidArgument, "tables.duckdb",
                    fmt::format("DuckDB says: {}", base::Shorten(line, 512)));
}

struct Session::Handles {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  std::optional<base::TemporaryFolder> folder;
};

struct RowStream::State {
  State(const Session& session, const data::Layout& layout)
      : session(session), library(session.library()), result(library), rows(layout) {}
  ~State() { DropChunk(); }
  void DropChunk() {
    if (chunk) SLIPWAY_DUCKDB(library, duckdb_destroy_data_chunk)(&chunk);
    chunk = nullptr;
  }

  const Session& session;
  const Library& library;
  ResultHandle result;
  RowAppender rows;
  duckdb_data_chunk chunk = nullptr;
  int64_t chunk_rows = 0;
  int64_t next_row = 0;
  bool ended = false;  ///< fetching past the end is an error to DuckDB
};

Session::Session(const Library& library) : library_(library), handles_(std::make_unique<Handles>()) {}

Session::~Session() {
  if (handles_->connection) SLIPWAY_DUCKDB(library_, duckdb_disconnect)(&handles_->connection);
  if (handles_->database) SLIPWAY_DUCKDB(library_, duckdb_close)(&handles_->database);
}

base::Result<std::unique_ptr<Session>> Session::Open(const SessionOptions& options) {
  SLIPWAY_ASSIGN(const Library* library, Library::Load());
  std::unique_ptr<Session> session(new Session(*library));
  session->hidden_ = options.hidden;
  SLIPWAY_TRY(session->Connect(options));
  return session;
}

base::Result<void> Session::Connect(const SessionOptions& options) {
  SLIPWAY_ASSIGN(handles_->folder, base::TemporaryFolder::Create());
  const std::pair<const char*, std::string> settings[] = {
      {"threads", std::to_string(std::max(options.threads, 1))},
      {"memory_limit", fmt::format("{}KiB", std::max<int64_t>(options.memory.count >> 10, 1 << 16))},
      {"temp_directory", (handles_->folder->path() / "spill").string()},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"preserve_insertion_order", "true"},
  };
  duckdb_config config = nullptr;
  if (SLIPWAY_DUCKDB(library_, duckdb_create_config)(&config) != DuckDBSuccess) return Fault("no configuration");
  bool set = true;
  for (const auto& [name, value] : settings) {
    set = set && SLIPWAY_DUCKDB(library_, duckdb_set_config)(config, name, value.c_str()) == DuckDBSuccess;
  }
  char* words = nullptr;
  const bool opened = set && SLIPWAY_DUCKDB(library_, duckdb_open_ext)(":memory:", &handles_->database, config,
                                                                       &words) == DuckDBSuccess;
  SLIPWAY_DUCKDB(library_, duckdb_destroy_config)(&config);
  if (!opened) {
    const auto fault = Fault(words ? words : "a setting is unknown to this version");
    SLIPWAY_DUCKDB(library_, duckdb_free)(words);
    return fault;
  }
  if (SLIPWAY_DUCKDB(library_, duckdb_connect)(handles_->database, &handles_->connection) != DuckDBSuccess) {
    return Fault("no connection");
  }
  SLIPWAY_TRY(Prepare(options));
  // Both as they are and as they are asked for.
  const auto both = [](const std::string& name) { return fmt::format("{}, {}", QuotedText(name), QuotedPath(name)); };
  if (!options.path.empty()) SLIPWAY_TRY(Run(fmt::format("SET allowed_paths = [{}]", both(options.path))));
  if (!options.folder.empty()) {
    const std::string folder = options.folder.ends_with('/') ? options.folder : options.folder + "/";
    SLIPWAY_TRY(Run(fmt::format("SET allowed_directories = [{}]", both(folder))));
  }
  SLIPWAY_TRY(Run("SET enable_external_access = false"));
  return Run("SET lock_configuration = true");
}

base::Result<void> Session::Prepare(const SessionOptions& options) {
  for (const auto& name : options.extensions) {
    SLIPWAY_ASSIGN(const auto path, library_.ExtensionPath(name));
    SLIPWAY_TRY(Run(fmt::format("LOAD {}", QuotedText(path))));
  }
  for (const auto& statement : options.preparations) SLIPWAY_TRY(Run(statement));
  return {};
}

_duckdb_connection* Session::connection() const {
  return handles_->connection;
}

void Session::Interrupt() {
  SLIPWAY_DUCKDB(library_, duckdb_interrupt)(handles_->connection);
}

base::Result<void> Session::RunBeside(const std::string& sql) {
  duckdb_connection beside = nullptr;
  if (SLIPWAY_DUCKDB(library_, duckdb_connect)(handles_->database, &beside) != DuckDBSuccess) {
    return Fault("no connection");
  }
  base::Result<void> done;
  {
    ResultHandle result(library_);
    if (SLIPWAY_DUCKDB(library_, duckdb_query)(beside, sql.c_str(), &result.get()) != DuckDBSuccess) {
      done = Fault(SLIPWAY_DUCKDB(library_, duckdb_result_error)(&result.get()));
    }
  }
  SLIPWAY_DUCKDB(library_, duckdb_disconnect)(&beside);
  return done;
}

std::optional<double> Session::Share() const {
  // What it calls rows is this share of an estimate.
  const double percent = SLIPWAY_DUCKDB(library_, duckdb_query_progress)(handles_->connection).percentage;
  return percent > 0 && percent <= 100 ? std::optional(percent / 100) : std::nullopt;
}

base::Result<void> Session::CheckQuestion(const std::string& sql) {
  duckdb_prepared_statement statement = nullptr;
  base::Result<void> fine;
  if (SLIPWAY_DUCKDB(library_, duckdb_prepare)(handles_->connection, sql.c_str(), &statement) != DuckDBSuccess) {
    fine = Fault(SLIPWAY_DUCKDB(library_, duckdb_prepare_error)(statement));
  } else if (SLIPWAY_DUCKDB(library_, duckdb_prepared_statement_type)(statement) != DUCKDB_STATEMENT_TYPE_SELECT) {
    fine = base::Fail(base::Code::kInvalidArgument, "tables.sql",
                      "the query is no SELECT; it may only read, and the answers go to the output");
  }
  SLIPWAY_DUCKDB(library_, duckdb_destroy_prepare)(&statement);
  return fine;
}

base::Result<void> Session::Run(const std::string& sql) {
  ResultHandle result(library_);
  if (SLIPWAY_DUCKDB(library_, duckdb_query)(handles_->connection, sql.c_str(), &result.get()) == DuckDBSuccess)
    return {};
  return Fault(SLIPWAY_DUCKDB(library_, duckdb_result_error)(&result.get()));
}

base::Result<std::vector<std::vector<std::string>>> Session::QueryTexts(const std::string& sql, int columns) {
  std::vector<data::Field> fields;
  std::vector<int> targets;
  for (int i = 0; i < columns; ++i) {
    fields.push_back({.name = std::to_string(i), .type = {data::ScalarType::kString, {}}, .as_text = true});
    targets.push_back(i);
  }
  const data::Layout layout(fields);
  SLIPWAY_ASSIGN(auto stream, Query(sql, layout, targets));
  std::vector<std::vector<std::string>> texts;
  data::Decoded rows(layout);
  while (true) {
    rows.Clear();
    SLIPWAY_ASSIGN(const int64_t count, stream->Append(1024, {}, rows));
    if (count == 0) return texts;
    for (int64_t row = 0; row < count; ++row) {
      texts.emplace_back();
      for (const auto& column : rows.table.columns) texts.back().emplace_back(column.string(row));
    }
  }
}

base::Result<std::unique_ptr<RowStream>> Session::Query(const std::string& sql, const data::Layout& layout,
                                                        std::vector<int> targets) {
  auto state = std::make_unique<RowStream::State>(*this, layout);
  duckdb_prepared_statement statement = nullptr;
  duckdb_pending_result pending = nullptr;
  base::Result<void> done;
  if (SLIPWAY_DUCKDB(library_, duckdb_prepare)(handles_->connection, sql.c_str(), &statement) != DuckDBSuccess) {
    done = Fault(SLIPWAY_DUCKDB(library_, duckdb_prepare_error)(statement));
  } else if (SLIPWAY_DUCKDB(library_, duckdb_pending_prepared_streaming)(statement, &pending) != DuckDBSuccess) {
    done = Fault(SLIPWAY_DUCKDB(library_, duckdb_pending_error)(pending));
  } else if (SLIPWAY_DUCKDB(library_, duckdb_execute_pending)(pending, &state->result.get()) != DuckDBSuccess) {
    done = Fault(SLIPWAY_DUCKDB(library_, duckdb_result_error)(&state->result.get()));
  }
  SLIPWAY_DUCKDB(library_, duckdb_destroy_pending)(&pending);
  SLIPWAY_DUCKDB(library_, duckdb_destroy_prepare)(&statement);
  if (!done) return std::unexpected(std::move(done).error());
  const auto count = static_cast<size_t>(SLIPWAY_DUCKDB(library_, duckdb_column_count)(&state->result.get()));
  targets.resize(std::min(targets.size(), count));
  for (size_t i = 0; i < targets.size(); ++i) {
    duckdb_logical_type type = SLIPWAY_DUCKDB(library_, duckdb_column_logical_type)(&state->result.get(), i);
    state->rows.AddColumn(library_, type, targets[i]);
    SLIPWAY_DUCKDB(library_, duckdb_destroy_logical_type)(&type);
  }
  return std::unique_ptr<RowStream>(new RowStream(std::move(state)));
}

RowStream::RowStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowStream::~RowStream() = default;

base::Result<bool> RowStream::FetchChunk() {
  const Library& library = state_->library;
  while (state_->next_row == state_->chunk_rows) {
    if (state_->ended) return false;
    state_->DropChunk();
    state_->chunk = SLIPWAY_DUCKDB(library, duckdb_fetch_chunk)(state_->result.get());
    if (!state_->chunk) {
      state_->ended = true;
      const char* words = SLIPWAY_DUCKDB(library, duckdb_result_error)(&state_->result.get());
      if (words && *words) return state_->session.Fault(words);
      return false;
    }
    state_->next_row = 0;
    state_->chunk_rows = static_cast<int64_t>(SLIPWAY_DUCKDB(library, duckdb_data_chunk_get_size)(state_->chunk));
    for (size_t i = 0; i < state_->rows.columns(); ++i) {
      state_->rows.Attach(i, SLIPWAY_DUCKDB(library, duckdb_data_chunk_get_vector)(state_->chunk, i));
    }
  }
  return true;
}

base::Result<int64_t> RowStream::Append(int64_t rows, const std::vector<std::string>& unknown, data::Decoded& out) {
  int64_t appended = 0;
  while (appended < rows && TextBytes(out.table) < kBatchBytes) {
    SLIPWAY_ASSIGN(const bool more, FetchChunk());
    if (!more) break;
    const int64_t end = std::min(state_->chunk_rows, state_->next_row + rows - appended);
    state_->rows.Append(state_->next_row, end, unknown, out);
    appended += end - state_->next_row;
    state_->next_row = end;
  }
  return appended;
}

}  // namespace slipway::tables::duckdb
