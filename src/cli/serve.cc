// slipway serve: answers requests until SIGTERM or Ctrl-C.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/quantities.h"
#include "base/service_manager.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/engines.h"
#include "cli/http_options.h"
#include "cli/listen_flags.h"
#include "cli/program_version.h"
#include "live/live_set.h"
#include "serving/http_service.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::cli {
namespace {

struct Options {
  std::vector<std::string> bundles;
  ListenFlags listen;
  std::string drain_delay = "0s", drain_timeout = "30s", log_file, log_level = "info";
  int threads = 0, log_lines = 100;
  HttpOptions http_options;
};

/// The signals that end or nudge the program, taken by the main thread alone. Blocked before any thread starts, so that
/// all threads inherit it.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  int Wait() const {
    int signal = 0;
    while (sigwait(&set_, &signal) != 0) {
    }
    return signal;
  }

 private:
  sigset_t set_;
};

/// SIGHUP: the log's file and the certificate's are opened again. Failures keep what was, and are logged.
void Reload(serving::HttpService& service, telemetry::Log& log) {
  if (auto reopened = log.Reopen(); !reopened) {
    log.Line(telemetry::LogLevel::kError, "log.reopen").Add(reopened.error());
  }
  const auto reloaded = service.ReloadCertificates();  // tells the log itself
  static_cast<void>(reloaded);
}

/// Waits for the end: SIGHUP reloads, a first SIGTERM or SIGINT drains, a second one cuts the delay short.
void ServeUntilStopped(const Signals& signals, serving::HttpService& service, const base::ServiceManager& manager,
                       telemetry::Log& log) {
  manager.Ready("serving");
  while (signals.Wait() == SIGHUP) {
    manager.Reloading();
    Reload(service, log);
    manager.Ready("serving");
  }
  manager.Stopping();
  log.Line(telemetry::LogLevel::kInfo, "service.draining");
  std::jthread impatience([&](std::stop_token stop) {
    while (signals.Wait() == SIGHUP) {
    }
    if (!stop.stop_requested()) service.Stop();
  });
  service.Stop();
  impatience.request_stop();
  pthread_kill(impatience.native_handle(), SIGTERM);
  impatience.join();
  log.Line(telemetry::LogLevel::kInfo, "service.stopped");
}

/// What is served where, for people, scripts and the log.
void Announce(const serving::HttpService& service, const live::LiveSet& live, Console& console, telemetry::Log& log) {
  const auto listeners = service.listeners();
  auto models = base::Value::List();
  for (const auto& status : live.Statuses()) {
    models.Add(base::Value::Map().Set("name", status.name).Set("version", status.version));
    console.Note(
        fmt::format("serving {}@{}  POST {}/predict/{}", status.name, status.version, listeners[0].url, status.name));
  }
  auto addresses = base::Value::List();
  for (const auto& listener : listeners) {
    addresses.Add(base::Value::Map()
                      .Set("address", listener.address)
                      .Set("url", listener.url)
                      .Set("role", listener.admin ? "admin" : "serve"));
    if (listener.admin) console.Note("admin " + listener.url);
  }
  console.Result(base::Value::Map()
                     .Set("http", listeners[0].address)
                     .Set("listeners", std::move(addresses))
                     .Set("threads", service.threads())
                     .Set("models", std::move(models)));
  log.Line(telemetry::LogLevel::kInfo, "service.ready")
      .Add("http", listeners[0].url)
      .Add("admin", listeners.back().admin ? listeners.back().url : "")
      .Add("threads", service.threads());
}

base::Result<ExitCode> Serve(const Options& options, const serving::ListenOptions& listen, Console& console) {
  const Signals signals;
  const auto manager = base::ServiceManager::FromEnvironment();
  serving::HttpServiceOptions http{.listen = listen, .threads = options.threads, .program_version = kProgramVersion};
  SLIPWAY_ASSIGN(http.drain_delay, base::ParseDuration(options.drain_delay));
  SLIPWAY_ASSIGN(http.drain_timeout, base::ParseDuration(options.drain_timeout));
  SLIPWAY_ASSIGN(http.limits, options.http_options.Limits());
  SLIPWAY_ASSIGN(http.cors, options.http_options.Cors());
  http.compress = options.http_options.compresses();
  http.log_lines_per_second = options.log_lines;
  telemetry::LogOptions log_options;
  log_options.path = options.log_file;
  SLIPWAY_ASSIGN(log_options.level, telemetry::ParseLogLevel(options.log_level));
  SLIPWAY_ASSIGN(const auto log, telemetry::Log::Open(log_options));

  telemetry::MetricRegistry metrics;
  live::LiveSet live(Engines(), {}, *log);
  // Listening first: a taken port is told before a model is loaded, and /readyz is false until all are.
  SLIPWAY_ASSIGN(const auto service, serving::HttpService::Start(http, live, metrics, *log));
  for (const auto& bundle : options.bundles) {
    if (auto loaded = live.Load(bundle); !loaded) {
      service->Stop();
      log->Flush();
      if (loaded.error().where.empty()) loaded.error().where = bundle;
      return std::unexpected(std::move(loaded).error());
    }
  }
  service->MarkStarted();
  Announce(*service, live, console, *log);
  ServeUntilStopped(signals, *service, manager, *log);
  return ExitCode::kFine;
}

/// A parser's complaint for the command line's; empty when there is none.
template <typename T>
std::string Fault(const base::Result<T>& result) {
  return result ? std::string() : result.error().message;
}

}  // namespace

void AddServe(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("serve", "Answer requests over HTTP");
  static Options options;
  command->add_option("bundles", options.bundles, "Folders or .slipway files")->required();
  AddListenFlags(*command, options.listen);
  command->add_option("--threads", options.threads, "Threads that serve (default: what the cgroup allows)")
      ->check(CLI::Range(1, 1024));
  options.http_options.AddTo(*command);
  command->add_option("--drain-delay", options.drain_delay, "After SIGTERM: not ready, but still serving, for so long")
      ->capture_default_str()
      ->check([](const std::string& text) { return Fault(base::ParseDuration(text)); });
  command->add_option("--drain-timeout", options.drain_timeout, "Longest wait for requests in flight")
      ->capture_default_str()
      ->check([](const std::string& text) { return Fault(base::ParseDuration(text)); });
  command->add_option("--log-file", options.log_file, "Log there instead of standard error; SIGHUP reopens it");
  command->add_option("--log-level", options.log_level, "What is logged at least")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
  command
      ->add_option("--log-requests", options.log_lines,
                   "Request lines a second and thread; the rest is counted, errors are always logged")
      ->capture_default_str();
  command->footer(
      "Example:\n  slipway serve flight-delay-1.0.0.slipway --http 0.0.0.0:8080\n\n"
      "Routes: POST /predict/MODEL[@VERSION], GET /models, /livez, /readyz, /metrics. SIGTERM drains and exits 0; "
      "SIGHUP reopens\n"
      "the log and reads the certificate again.");
  command->callback([&run] {
    run = [](Console& console) {
      const auto listen = ReadListenFlags(options.listen);
      if (!listen) {
        console.Fail(listen.error());
        return ExitCode::kUsage;
      }
      auto done = Serve(options, *listen, console);
      return done ? *done : console.Fail(done.error());
    };
  });
}

}  // namespace slipway::cli
