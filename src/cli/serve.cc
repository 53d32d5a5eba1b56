// slipway serve: answers requests until SIGTERM or Ctrl-C.

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/machine.h"
#include "base/service_manager.h"
#include "cli/check_config.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/isolation.h"
#include "cli/options/option_sources.h"
#include "cli/serve_options.h"
#include "cli/serve_reload.h"
#include "cli/served_bundles.h"
#include "live/live_set.h"
#include "serving/http_service.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::cli {
namespace {

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

/// SIGHUP: the log's file, the certificate's and the configuration's are read again. Failures keep what was, and are
/// logged.
void Reload(serving::HttpService& service, ConfigReload& config, telemetry::Log& log) {
  if (auto reopened = log.Reopen(); !reopened) {
    log.Line(telemetry::LogLevel::kError, "log.reopen").Add(reopened.error());
  }
  const auto reloaded = service.ReloadCertificates();  // tells the log itself
  static_cast<void>(reloaded);
  config.Reload();
}

/// Waits for the end: SIGHUP reloads, a first SIGTERM or SIGINT drains, a second one cuts the delay short.
void ServeUntilStopped(const Signals& signals, serving::HttpService& service, ConfigReload& config,
                       const base::ServiceManager& manager, telemetry::Log& log) {
  manager.Ready("serving");
  while (signals.Wait() == SIGHUP) {
    manager.Reloading();
    Reload(service, config, log);
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

std::string_view RoleOf(const serving::HttpService::Listener& listener) {
  if (listener.grpc) return listener.admin ? "grpc-admin" : "grpc";
  return listener.admin ? "admin" : "serve";
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
    addresses.Add(
        base::Value::Map().Set("address", listener.address).Set("url", listener.url).Set("role", RoleOf(listener)));
    if (listener.admin && !listener.grpc) console.Note("admin " + listener.url);
    if (listener.grpc) console.Note(fmt::format("gRPC{} {}", listener.admin ? " admin" : "", listener.address));
  }
  console.Result(base::Value::Map()
                     .Set("http", listeners[0].address)
                     .Set("listeners", std::move(addresses))
                     .Set("threads", service.threads())
                     .Set("models", std::move(models)));
  auto line = log.Line(telemetry::LogLevel::kInfo, "service.ready");
  line.Add("http", listeners[0].url);
  for (const auto& listener : listeners) {
    if (listener.admin || listener.grpc) line.Add(RoleOf(listener), listener.url);
  }
  line.Add("threads", service.threads());
}

/// A connection is an open file.
void CheckDescriptors(const ServeConfig& config, telemetry::Log& log) {
  constexpr int64_t kOthers = 64;
  const int64_t files = base::RaiseOpenFiles();
  if (files >= config.http.limits.connections + kOthers) return;
  log.Line(telemetry::LogLevel::kWarning, "service.few_descriptors")
      .Add("open_files", files)
      .Add("max_connections", config.http.limits.connections)
      .Add("message", "raise the hard limit of open files (LimitNOFILE=, ulimit -Hn), or lower --max-connections");
}

base::Result<ExitCode> Serve(const Signals& signals, const ServeSources& sources,
                             std::unique_ptr<ServeSettings> settings, Console& console) {
  const auto manager = base::ServiceManager::FromEnvironment();
  const ServeConfig& config = settings->config();
  SLIPWAY_ASSIGN(const auto log, telemetry::Log::Open(config.log));
  CheckDescriptors(config, *log);
  telemetry::MetricRegistry metrics(config.metric_series);
  const ServingEngines engines(config.isolation, *log);
  live::LiveSet live(engines.table(), {}, *log);
  SLIPWAY_ASSIGN(auto models, ServedBundles::Open(config, live, metrics, *log));
  // Listening first: a taken port is told before a model is loaded, and /readyz is false until all are.
  serving::HttpServiceOptions http = config.http;
  http.controller = &models->controller();
  http.cold.enabled = config.live.lazy;
  SLIPWAY_ASSIGN(const auto service, serving::HttpService::Start(http, live, metrics, *log));
  live.OnChange([&service] { service->LetGo(); });
  live.OnUnload([&service](const live::LiveSet::Unloaded& version) { service->Forget(version); });
  if (auto loaded = models->LoadFirst(); !loaded) {
    service->Stop();
    log->Flush();
    return std::unexpected(std::move(loaded).error());
  }
  service->MarkStarted();
  Announce(*service, live, console, *log);
  models->Follow();
  ConfigReload reload(
      sources, std::move(settings), *service, [&models](const auto& bundles) { models->Change(bundles); }, *log,
      metrics);
  ServeUntilStopped(signals, *service, reload, manager, *log);
  models->Stop();
  return ExitCode::kFine;
}

ExitCode ServeWith(const ServeSources& sources, Console& console) {
  const Signals signals;
  auto settings = ServeSettings::Load(sources);
  if (!settings) return FailConfig(settings.error(), console);
  auto done = Serve(signals, sources, std::move(*settings), console);
  return done ? *done : console.Fail(done.error());
}

}  // namespace

void AddServe(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("serve", "Answer requests over HTTP");
  static ServeConfig defaults;
  static const auto table = ServeOptions(defaults);
  static options::OptionFlags flags;
  static bool check = false;
  flags.AddTo(*command, table);
  command->add_flag("--check-config", check, "Check everything and show what holds, without serving");
  command->footer(
      "Example:\n  slipway serve flight-delay-1.0.0.slipway --http 0.0.0.0:8080\n\n"
      "Each option is also a key of --config FILE and a variable (--max-body: SLIPWAY_SERVE_MAX_BODY); a flag counts\n"
      "before a variable, a variable before the file.\n\n"
      "Routes: POST /predict/MODEL[@VERSION], GET /models, /livez, /readyz, /metrics. SIGTERM drains and exits 0; "
      "SIGHUP reopens\n"
      "the log and reads certificates and the configuration file again. --grpc adds listeners for gRPC.");
  command->callback([&run] {
    run = [](Console& console) {
      auto environment = options::ReadEnvironment(table, ::environ);
      if (!environment) return FailConfig(environment.error(), console);
      const ServeSources sources{.flags = flags.Take(), .environment = std::move(*environment)};
      return check ? CheckConfig(sources, console) : ServeWith(sources, console);
    };
  });
}

}  // namespace slipway::cli
