#pragma once
// The options of `slipway serve`: what it can be told, in one table (serve_options.cc).
// docs/operations/configuration.md lists them; docs/design/one-table-of-options.md says why there is one.

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/isolation.h"
#include "cli/options/option_sources.h"
#include "cli/options/option_table.h"
#include "live/live_controller.h"
#include "serving/http_service.h"
#include "telemetry/log.h"

namespace slipway::cli {

struct ServeConfig {
  ServeConfig();

  std::string file;  ///< that the rest is read from; empty: none
  std::vector<std::string> bundles;
  serving::HttpServiceOptions http;
  telemetry::LogOptions log;
  std::string watch;  ///< a folder of bundles; empty: none
  live::LiveControllerOptions live;
  IsolationConfig isolation;
  int metric_series = 0;  ///< telemetry::MetricRegistry
  telemetry::otlp::Flags traces;

  /// The rules that more than one option takes part in. Errors: those of ListenOptions::Check and CorsOptions::Check,
  /// "usage" without a bundle.
  base::Result<void> Check() const;
};

/// The table over `config`, whose values are the defaults. `config` outlives it.
options::OptionTable ServeOptions(ServeConfig& config);

/// What an operator says outside the file, which stays as it is while the process lives.
struct ServeSources {
  options::GivenOptions flags, environment;
};

/// A configuration, and where each value came from.
class ServeSettings {
 public:
  /// Reads the file that the sources name, if any, and puts them over it. Errors: those of ReadOptionFile,
  /// OptionTable::Take and ServeConfig::Check.
  static base::Result<std::unique_ptr<ServeSettings>> Load(const ServeSources& sources);

  const ServeConfig& config() const { return config_; }
  const options::OptionTable& table() const { return table_; }

 private:
  ServeSettings() : table_(ServeOptions(config_)) {}
  ServeConfig config_;
  options::OptionTable table_;
};

}  // namespace slipway::cli
