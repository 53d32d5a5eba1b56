#include "batch/daemon/history.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace slipway::batch {
namespace {

using storage::sqlite::Cell;
using storage::sqlite::Database;
using storage::sqlite::IntegerOf;
using storage::sqlite::Row;
using storage::sqlite::TextOf;

constexpr std::string_view kSchema = R"(
CREATE TABLE jobs (name TEXT PRIMARY KEY, schedule TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, job TEXT NOT NULL, scheduled INTEGER NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, due INTEGER NOT NULL, started INTEGER, ended INTEGER, next_attempt INTEGER,
  exit_code INTEGER, rows INTEGER NOT NULL, rejected INTEGER NOT NULL, skipped INTEGER NOT NULL,
  output TEXT NOT NULL, digest TEXT NOT NULL, folder TEXT NOT NULL, message TEXT NOT NULL, UNIQUE (job, scheduled));
CREATE INDEX open_runs ON runs (job) WHERE state IN ('queued', 'running', 'waiting');
)";
constexpr storage::sqlite::DatabaseOptions kOptions{.schema = kSchema, .version = 1};
constexpr std::string_view kColumns =
    "id, job, scheduled, state, attempts, due, started, ended, next_attempt, exit_code, rows, rejected, skipped, "
    "output, digest, folder, message";
constexpr std::string_view kOpen = "state IN ('queued', 'running', 'waiting')";

Cell Number(const std::optional<Millisecond>& time) {
  return time ? Cell(static_cast<int64_t>(time->time_since_epoch().count())) : Cell();
}

Cell Seconds(Instant time) {
  return static_cast<int64_t>(time.time_since_epoch().count());
}

Instant InstantOf(const Cell& cell) {
  return Instant(std::chrono::seconds(IntegerOf(cell)));
}

std::optional<Millisecond> TimeOf(const Cell& cell) {
  if (!std::holds_alternative<int64_t>(cell)) return std::nullopt;
  return Millisecond(std::chrono::milliseconds(IntegerOf(cell)));
}

Run RunOf(const Row& row) {
  Run run{.id = IntegerOf(row[0]), .job = TextOf(row[1]), .scheduled = InstantOf(row[2])};
  run.state = RunStateOf(TextOf(row[3])).value_or(RunState::kFailed);
  run.attempts = IntegerOf(row[4]);
  run.due = TimeOf(row[5]).value_or(Millisecond());
  run.started = TimeOf(row[6]);
  run.ended = TimeOf(row[7]);
  run.next_attempt = TimeOf(row[8]);
  if (std::holds_alternative<int64_t>(row[9])) run.exit_code = IntegerOf(row[9]);
  run.rows = IntegerOf(row[10]);
  run.rejected = IntegerOf(row[11]);
  run.skipped = IntegerOf(row[12]);
  run.output = TextOf(row[13]);
  run.digest = TextOf(row[14]);
  run.folder = TextOf(row[15]);
  run.message = TextOf(row[16]);
  return run;
}

std::vector<Run> RunsOf(const std::vector<Row>& rows) {
  std::vector<Run> runs;
  runs.reserve(rows.size());
  for (const Row& row : rows) runs.push_back(RunOf(row));
  return runs;
}

}  // namespace

base::Result<History> History::Open(const std::filesystem::path& path) {
  const std::string lock_path = path.string() + ".lock";
  base::FileDescriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  // A lock of the process: a child that is just being born does not hold it when the daemon is killed.
  if (lock.ok() && ::lockf(lock.get(), F_TLOCK, 0) != 0 && (errno == EACCES || errno == EAGAIN)) {
    return base::Fail(base::Code::kFailedPrecondition, "batch.daemon_busy",
                      "another daemon works by this history; stop it, or give this one a file of its own (--history)",
                      path.string());
  }
  SLIPWAY_ASSIGN(auto database, Database::Open(path, kOptions));
  History history(std::move(database));
  history.lock_ = std::move(lock);
  return history;
}

base::Result<History> History::Read(const std::filesystem::path& path) {
  auto options = kOptions;
  options.read_only = true;
  auto database = Database::Open(path, options);
  if (!database && database.error().reason == "sqlite.missing") {
    return base::Fail(base::Code::kNotFound, "batch.no_history",
                      "there is no history here; name the file that `slipway batch daemon --history` was given",
                      path.string());
  }
  if (!database) return std::unexpected(std::move(database).error());
  return History(*std::move(database));
}

base::Result<Instant> History::Since(const std::string& job, const std::string& schedule, Instant now) {
  SLIPWAY_ASSIGN(const auto rows, database_.Query("SELECT since, schedule FROM jobs WHERE name = ?", {job}));
  if (!rows.empty() && TextOf(rows[0][1]) == schedule) return InstantOf(rows[0][0]);
  SLIPWAY_TRY(database_.Run("INSERT OR REPLACE INTO jobs (name, schedule, since) VALUES (?, ?, ?)",
                            {job, schedule, Seconds(now)}));
  return now;
}

base::Result<std::optional<Instant>> History::Last(const std::string& job) const {
  SLIPWAY_ASSIGN(const auto rows, database_.Query("SELECT max(scheduled) FROM runs WHERE job = ?", {job}));
  if (!std::holds_alternative<int64_t>(rows.at(0).at(0))) return std::nullopt;
  return InstantOf(rows[0][0]);
}

base::Result<std::optional<Run>> History::First(const std::string& job, const std::string& where) const {
  const auto statement =
      fmt::format("SELECT {} FROM runs WHERE job = ? AND {} ORDER BY scheduled DESC LIMIT 1", kColumns, where);
  SLIPWAY_ASSIGN(const auto rows, database_.Query(statement, {job}));
  return rows.empty() ? std::nullopt : std::optional(RunOf(rows[0]));
}

base::Result<std::optional<Run>> History::OpenRun(const std::string& job) const {
  return First(job, std::string(kOpen));
}

base::Result<std::optional<Run>> History::LastDone(const std::string& job) const {
  return First(job, "state = 'done'");
}

base::Result<std::optional<Run>> History::LastOver(const std::string& job) const {
  return First(job, "state IN ('done', 'failed')");
}

base::Result<void> History::Add(Run& run) {
  SLIPWAY_TRY(database_.Run(
      "INSERT INTO runs (job, scheduled, state, attempts, due, started, ended, next_attempt, exit_code, rows, "
      "rejected, skipped, output, digest, folder, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {run.job, Seconds(run.scheduled), std::string(RunStateName(run.state)), run.attempts, Number(run.due),
       Number(run.started), Number(run.ended), Number(run.next_attempt), run.exit_code ? Cell(*run.exit_code) : Cell(),
       run.rows, run.rejected, run.skipped, run.output, run.digest, run.folder, run.message}));
  run.id = database_.last_id();
  return {};
}

base::Result<void> History::Save(const Run& run) {
  return database_.Run(
      "UPDATE runs SET state = ?, attempts = ?, started = ?, ended = ?, next_attempt = ?, exit_code = ?, rows = ?, "
      "rejected = ?, output = ?, digest = ?, folder = ?, message = ? WHERE id = ?",
      {std::string(RunStateName(run.state)), run.attempts, Number(run.started), Number(run.ended),
       Number(run.next_attempt), run.exit_code ? Cell(*run.exit_code) : Cell(), run.rows, run.rejected, run.output,
       run.digest, run.folder, run.message, run.id});
}

base::Result<std::vector<Run>> History::Prune(const std::string& job, int64_t keep) {
  // The newest stays in any case: it tells which time is the next.
  const auto which = fmt::format(
      "job = ?1 AND NOT ({}) AND id NOT IN (SELECT id FROM runs WHERE job = ?1 ORDER BY scheduled DESC LIMIT ?2)",
      kOpen);
  const int64_t most = std::max<int64_t>(keep, 1);
  SLIPWAY_ASSIGN(const auto rows,
                 database_.Query(fmt::format("SELECT {} FROM runs WHERE {}", kColumns, which), {job, most}));
  if (!rows.empty()) SLIPWAY_TRY(database_.Run(fmt::format("DELETE FROM runs WHERE {}", which), {job, most}));
  return RunsOf(rows);
}

base::Result<std::vector<Run>> History::List(const std::string& job, int64_t most) const {
  const auto statement =
      fmt::format("SELECT {} FROM runs WHERE ?1 = '' OR job = ?1 ORDER BY scheduled DESC, job LIMIT ?2", kColumns);
  SLIPWAY_ASSIGN(const auto rows, database_.Query(statement, {job, most}));
  return RunsOf(rows);
}

base::Result<std::vector<std::string>> History::Jobs() const {
  SLIPWAY_ASSIGN(const auto rows, database_.Query("SELECT name FROM jobs ORDER BY name"));
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(TextOf(row[0]));
  return names;
}

}  // namespace slipway::batch
