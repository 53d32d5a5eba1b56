#pragma once
// The bundles that `slipway serve` was told of, by name and by folder, and what keeps them served.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/serve_options.h"
#include "live/bundle_folder.h"
#include "live/bundle_list.h"
#include "live/live_controller.h"

namespace slipway::cli {

/// Lifecycle: Open(), LoadFirst(), Follow(), Stop(). Thread-safety: one thread; controller() as it says itself.
class ServedBundles {
 public:
  /// All outlive it. Errors: those of BundleFolder::Open.
  static base::Result<std::unique_ptr<ServedBundles>> Open(const ServeConfig& config, live::LiveSet& live,
                                                           telemetry::MetricRegistry& metrics, telemetry::Log& log);

  live::LiveController& controller() { return controller_; }
  /// Loads everything, on this thread. Errors: why a bundle that was named could not be; those of a folder only leave
  /// their traces, since they may be mended there.
  base::Result<void> LoadFirst();
  /// From now on follows changes, on a thread of its own.
  void Follow() { controller_.Start(); }
  /// Other bundles by name.
  void Change(const std::vector<std::string>& bundles);
  void Stop() { controller_.Stop(); }

 private:
  ServedBundles(const ServeConfig& config, live::LiveSet& live, telemetry::MetricRegistry& metrics, telemetry::Log& log,
                std::optional<live::BundleFolder> folder);

  live::LiveSet& live_;
  std::vector<std::string> named_;
  live::BundleList list_;
  std::optional<live::BundleFolder> folder_;
  live::LiveController controller_;
};

}  // namespace slipway::cli
