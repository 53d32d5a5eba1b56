#include "cli/serve_reload.h"

#include <utility>

namespace slipway::cli {

using options::Change;
using telemetry::LogLevel;

struct ConfigReload::Difference {
  std::string name, change;  ///< "max-body", "64MiB -> 1MiB"
};

ConfigReload::ConfigReload(ServeSources sources, std::unique_ptr<ServeSettings> started, serving::HttpService& service,
                           std::function<void(const std::vector<std::string>&)> bundles, telemetry::Log& log,
                           telemetry::MetricRegistry& metrics)
    : sources_(std::move(sources)),
      started_(std::move(started)),
      service_(service),
      bundles_(std::move(bundles)),
      log_(log),
      outcomes_(metrics.AddCounter(
          {"slipway_config_reloads_total", "Times the configuration file was read again, by outcome.", {"outcome"}})),
      waiting_(metrics
                   .AddGauge({"slipway_config_options_waiting",
                              "Options whose value in the configuration file waits for a restart.",
                              {}})
                   .With({})) {
  for (const char* outcome : {"changed", "unchanged", "failed"}) outcomes_.With({outcome}).Add(0);
}

void ConfigReload::Reload() {
  if (started_->config().file.empty()) return;
  auto loaded = ServeSettings::Load(sources_);
  const auto applied = loaded ? Apply(std::move(*loaded)) : std::unexpected(std::move(loaded).error());
  if (applied) return;
  outcomes_.With({"failed"}).Add();
  log_.Line(LogLevel::kError, "config.reload_failed").Add(applied.error());
}

base::Result<void> ConfigReload::Apply(std::unique_ptr<ServeSettings> settings) {
  const auto waiting = Differences(*started_, *settings, Change::kRestart);
  const auto changed = Differences(running_ ? *running_ : *started_, *settings, Change::kReload);
  SLIPWAY_TRY(service_.Change(settings->config().http));
  bundles_(settings->config().bundles);
  // Told at the more talkative of the two levels.
  const bool before = log_.Enabled(LogLevel::kInfo);
  if (before) Tell(LogLevel::kInfo, "config.reloaded", changed);
  log_.SetLevel(settings->config().log.level);
  log_.SetFieldBytes(settings->config().log.field_bytes);
  if (!before) Tell(LogLevel::kInfo, "config.reloaded", changed);
  if (!waiting.empty()) Tell(LogLevel::kWarning, "config.needs_restart", waiting);
  running_ = std::move(settings);
  outcomes_.With({changed.empty() ? "unchanged" : "changed"}).Add();
  waiting_.Set(static_cast<double>(waiting.size()));
  return {};
}

std::vector<ConfigReload::Difference> ConfigReload::Differences(const ServeSettings& from, const ServeSettings& to,
                                                                Change change) const {
  std::vector<Difference> differences;
  const auto& old_options = from.table().options();
  const auto& new_options = to.table().options();
  for (size_t i = 0; i < old_options.size(); ++i) {
    if (old_options[i].change != change || options::SameValue(old_options[i], new_options[i])) continue;
    differences.push_back(
        {old_options[i].name, from.table().Shown(old_options[i]) + " -> " + to.table().Shown(new_options[i])});
  }
  return differences;
}

void ConfigReload::Tell(LogLevel level, const char* event, const std::vector<Difference>& differences) const {
  auto line = log_.Line(level, event);
  line.Add("file", started_->config().file).Add("options", static_cast<int64_t>(differences.size()));
  for (const Difference& difference : differences) line.Add(difference.name, difference.change);
}

}  // namespace slipway::cli
