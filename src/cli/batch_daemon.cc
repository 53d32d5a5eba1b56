// slipway batch daemon: runs jobs at their times. slipway batch history: what it did.

#include "cli/batch_daemon.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/quantities.h"
#include "base/service_manager.h"
#include "base/text.h"
#include "batch/daemon/board.h"
#include "batch/daemon/daemon.h"
#include "batch/daemon/daemon_loop.h"
#include "batch/daemon/history.h"
#include "cli/console.h"
#include "cli/program_version.h"
#include "cli/table_options.h"
#include "net/http_server.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/process_metrics.h"

namespace slipway::cli {
namespace {

struct DaemonFlags {
  batch::DaemonOptions daemon;
  std::string history, listen, grace = "60s", log_file, log_level = "info";
};

/// systemd's folder for what a service keeps, else where one stands.
std::string DefaultHistory() {
  const char* folder = std::getenv("STATE_DIRECTORY");
  const std::string name = "slipway-batch.sqlite";
  return folder == nullptr || *folder == '\0' ? name : fmt::format("{}/{}", folder, name);
}

base::Result<telemetry::LogOptions> LogOf(const DaemonFlags& flags) {
  telemetry::LogOptions log{.path = flags.log_file};
  SLIPWAY_ASSIGN(log.level, telemetry::ParseLogLevel(flags.log_level));
  return log;
}

/// nullptr: nobody asks.
base::Result<std::unique_ptr<net::HttpServer>> Listen(const std::string& address, const batch::Board& board,
                                                      telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  if (address.empty()) return nullptr;
  telemetry::AddProcessMetrics(metrics);
  metrics.AddGauge({"slipway_build_info", "1, labelled with the program's version.", {"version"}})
      .With({kProgramVersion})
      .Set(1);
  board.AddMetrics(metrics);
  net::HttpServerOptions options;
  options.threads = 1;
  options.log = &log;
  auto& listener = options.listeners.emplace_back();
  listener.address = address;
  SLIPWAY_TRY(board.AddRoutes(metrics, listener.routes));
  return net::HttpServer::Start(std::move(options));
}

base::Result<void> RunDaemon(DaemonFlags flags, const Console& console) {
  SLIPWAY_ASSIGN(const auto signals, batch::TakeSignals());
  const auto manager = base::ServiceManager::FromEnvironment();
  SLIPWAY_ASSIGN(const auto log_options, LogOf(flags));
  SLIPWAY_ASSIGN(const auto log, telemetry::Log::Open(log_options));
  SLIPWAY_ASSIGN(const auto grace, base::ParseDuration(flags.grace));
  flags.daemon.grace = std::chrono::duration_cast<std::chrono::milliseconds>(grace);
  flags.daemon.history = flags.history.empty() ? DefaultHistory() : flags.history;
  telemetry::MetricRegistry metrics;
  batch::Board board;
  // Listening first: a taken port is told before anything runs.
  SLIPWAY_ASSIGN(const auto server, Listen(flags.listen, board, metrics, *log));
  SLIPWAY_ASSIGN(const auto daemon, batch::Daemon::Create(flags.daemon, board, *log));
  const auto status = board.status();
  auto jobs = base::Value::List();
  for (const auto& job : status.jobs) jobs.Add(job.name);
  const std::string url = server ? "http://" + server->address() : "";
  console.Result(base::Value::Map()
                     .Set("listen", server ? base::Value(server->address()) : base::Value())
                     .Set("history", flags.daemon.history.string())
                     .Set("jobs", std::move(jobs))
                     .Set("broken", static_cast<int64_t>(status.broken.size())));
  log->Line(telemetry::LogLevel::kInfo, "daemon.ready")
      .Add("jobs", static_cast<int64_t>(status.jobs.size()))
      .Add("broken", static_cast<int64_t>(status.broken.size()))
      .Add("history", flags.daemon.history.string())
      .Add("listen", url);
  batch::RunUntilStopped(*daemon, signals, manager, *log);
  if (server) server->Stop();
  return {};
}

std::string Took(const batch::Run& run) {
  if (!run.started || !run.ended) return "";
  return fmt::format("{:.1f} s", static_cast<double>((*run.ended - *run.started).count()) / 1000);
}

base::Result<void> ShowHistory(const std::string& path, const std::string& job, int64_t most, const Console& console) {
  SLIPWAY_ASSIGN(const auto history, batch::History::Read(path.empty() ? DefaultHistory() : path));
  if (!job.empty()) {
    SLIPWAY_ASSIGN(const auto jobs, history.Jobs());
    if (std::ranges::find(jobs, job) == jobs.end()) {
      return base::Fail(
          base::Code::kNotFound, "batch.no_job",
          fmt::format("the history knows no job \"{}\"{}", base::Shorten(job), base::DidYouMean(job, jobs)));
    }
  }
  SLIPWAY_ASSIGN(const auto runs, history.List(job, most));
  auto list = base::Value::List();
  for (const auto& run : runs) list.Add(ToValue(run));
  console.Result(list);
  if (console.json()) return {};
  for (const auto& run : runs) {
    const auto color = run.state == batch::RunState::kFailed ? Color::kRed : Color::kBold;
    const auto state = console.Paint(fmt::format("{:<8}", batch::RunStateName(run.state)), color);
    console.Print(fmt::format("{:<20}  {}  {}  {:>9}  {:>12} rows  {:>8} rejected  {}\n",
                              batch::FormatUtc(run.scheduled), state, run.job, Took(run), Grouped(run.rows),
                              Grouped(run.rejected), run.message.empty() ? run.output : run.message));
  }
  return {};
}

}  // namespace

void AddBatchDaemon(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("daemon", "Run jobs at the times of their schedules");
  static DaemonFlags flags;
  command->add_option("jobs", flags.daemon.paths, "Files with a `schedule:`, or folders of them")->required();
  command->add_option("--history", flags.history,
                      "File that remembers runs (default: slipway-batch.sqlite in $STATE_DIRECTORY, or here)");
  command->add_option("--concurrency", flags.daemon.concurrency, "Jobs at a time; of one job, one run at a time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--listen", flags.listen, "HOST:PORT of /metrics, /health, /livez, /readyz (default: nowhere)");
  command->add_option("--grace", flags.grace, "For parts at hand when the daemon is stopped; then they are killed")
      ->capture_default_str();
  command->add_option("--keep-runs", flags.daemon.keep_runs, "Runs of each job that the history keeps")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--log-file", flags.log_file, "A file in place of standard error");
  command->add_option("--log-level", flags.log_level, "debug, info, warning, error or off")->capture_default_str();
  command->footer(
      "Example:\n  slipway batch daemon jobs/ --listen 127.0.0.1:9100\n\n"
      "SIGTERM lets parts at hand finish and exits 0; runs that were cut short go on at the next start. SIGHUP reads "
      "the job\nfiles again. What is done about times missed while it was down is the job's `catch_up`: none, latest "
      "or all.");
  command->callback([&run] {
    run = [](Console& console) {
      const auto done = RunDaemon(flags, console);
      return done ? ExitCode::kFine : console.Fail(done.error());
    };
  });
}

void AddBatchHistory(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("history", "What the daemon has run, the newest first");
  static std::string job, path;
  static int64_t most = 100;
  command->add_option("job", job, "Name of a job (default: all)");
  command->add_option("--history", path, "The daemon's file (default: as for the daemon)");
  command->add_option("--limit", most, "Runs, at most")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  command->callback([&run] {
    run = [](Console& console) {
      const auto done = ShowHistory(path, job, most, console);
      return done ? ExitCode::kFine : console.Fail(done.error());
    };
  });
}

}  // namespace slipway::cli
