#pragma once
// What SIGHUP does with the configuration file of a server that runs.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/serve_options.h"
#include "serving/http_service.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::cli {

/// A file that does not check leaves everything as it was. What it changes is applied where the table allows it; the
/// rest is named in the log, and waits for a restart. Counted in slipway_config_reloads_total{outcome}: "changed",
/// "unchanged", "failed".
///
/// Thread-safety: one thread. Ownership: service, log and metrics outlive it.
class ConfigReload {
 public:
  /// `bundles` gets the list of bundles when it has changed.
  ConfigReload(ServeSources sources, std::unique_ptr<ServeSettings> started, serving::HttpService& service,
               std::function<void(const std::vector<std::string>&)> bundles, telemetry::Log& log,
               telemetry::MetricRegistry& metrics);

  /// Reads the file again; nothing without one.
  void Reload();

 private:
  struct Difference;
  base::Result<void> Apply(std::unique_ptr<ServeSettings> settings);
  std::vector<Difference> Differences(const ServeSettings& from, const ServeSettings& to, options::Change change) const;
  void Tell(telemetry::LogLevel level, const char* event, const std::vector<Difference>& differences) const;

  const ServeSources sources_;
  const std::unique_ptr<const ServeSettings> started_;  ///< whose restart-only values are in force
  std::unique_ptr<const ServeSettings> running_;        ///< whose other values are; nullptr: those of started_
  serving::HttpService& service_;
  const std::function<void(const std::vector<std::string>&)> bundles_;
  telemetry::Log& log_;
  telemetry::CounterFamily outcomes_;
  telemetry::Gauge waiting_;
};

}  // namespace slipway::cli
