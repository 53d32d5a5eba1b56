#include "cli/served_bundles.h"

#include <algorithm>
#include <utility>

namespace slipway::cli {

base::Result<std::unique_ptr<ServedBundles>> ServedBundles::Open(const ServeConfig& config, live::LiveSet& live,
                                                                 telemetry::MetricRegistry& metrics,
                                                                 telemetry::Log& log) {
  std::optional<live::BundleFolder> folder;
  if (!config.watch.empty()) {
    SLIPWAY_ASSIGN(folder, live::BundleFolder::Open(config.watch));
  }
  return std::unique_ptr<ServedBundles>(new ServedBundles(config, live, metrics, log, std::move(folder)));
}

ServedBundles::ServedBundles(const ServeConfig& config, live::LiveSet& live, telemetry::MetricRegistry& metrics,
                             telemetry::Log& log, std::optional<live::BundleFolder> folder)
    : live_(live),
      named_(config.bundles),
      list_({config.bundles.begin(), config.bundles.end()}),
      folder_(std::move(folder)),
      controller_(live, metrics, log, config.live) {
  controller_.Follow(list_);
  if (folder_) controller_.Follow(*folder_);
}

base::Result<void> ServedBundles::LoadFirst() {
  controller_.Settle();
  for (const live::ModelStatus& status : live_.Statuses()) {
    if (status.state != live::ModelState::kFailed || std::ranges::find(named_, status.source) == named_.end()) continue;
    base::Error error = status.error;
    if (error.where.empty()) error.where = status.source;
    return std::unexpected(std::move(error));
  }
  return {};
}

void ServedBundles::Change(const std::vector<std::string>& bundles) {
  list_.Set({bundles.begin(), bundles.end()});
  controller_.LookNow();
}

}  // namespace slipway::cli
