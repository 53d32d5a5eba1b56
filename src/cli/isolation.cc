#include "cli/isolation.h"

#include <chrono>
#include <string>
#include <utility>

#include "cli/engines.h"
#include "cli/trial.h"
#include "engine/isolated/host.h"
#include "live/loaded_model.h"
#include "scoring/scorer.h"

namespace slipway::cli {
namespace {

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

engine::IsolationOptions Complete(engine::IsolationOptions options, telemetry::Log& log) {
  if (const auto limits = TrialLimitsHere()) options.load_time = limits->time;
  options.on_end = [&log](const engine::ProcessEnd& end) {
    log.Line(telemetry::LogLevel::kError, "engine.ended")
        .Add("model", end.model)
        .Add("version", end.version)
        .Add("pid", end.pid)
        .Add("reason", end.reason)
        .Add("message", end.text)
        .Add("up_seconds", Seconds(end.up))
        .Add("next_start_seconds", Seconds(end.next_start));
  };
  return options;
}

base::Result<std::unique_ptr<engine::Engine>> StartIsolated(engine::Isolator& isolator, const bundle::Bundle& bundle,
                                                            const engine::EngineOptions& options) {
  SLIPWAY_TRY(TrialLimitsHere());  // loading is the trial
  const bundle::Manifest& manifest = bundle.manifest();
  std::vector<std::string> external;
  if (!manifest.model.file.empty()) {
    SLIPWAY_ASSIGN(const auto model, bundle.Read(manifest.model.file));
    external = ExternalFiles(manifest, model);
  }
  return isolator.Start(bundle, options, external);
}

base::Result<engine::HostedModel> LoadHosted(const bundle::Bundle& bundle, const engine::EngineOptions& options) {
  // It is tried where it is loaded.
  SLIPWAY_ASSIGN(const auto scorer, scoring::Scorer::Create(bundle, MakeEngines({}), {.engine = options}));
  SLIPWAY_TRY(live::CheckGolden(bundle, *scorer));
  return engine::HostedModel{scorer->model(), [scorer] { return scorer->NewSession(); }};
}

}  // namespace

ServingEngines::ServingEngines(IsolationConfig config, telemetry::Log& log)
    : config_(std::move(config)),
      isolator_(Complete(config_.options, log)),
      table_(MakeEngines(TryFirst, [this](engine::EngineLoader here) -> engine::EngineLoader {
        return [this, here = std::move(here)](const bundle::Bundle& bundle, const engine::EngineOptions& options) {
          using Which = IsolationConfig::Which;
          const bool isolated =
              config_.which == Which::kAll || (config_.which == Which::kManifest && bundle.manifest().model.isolated);
          return isolated ? StartIsolated(isolator_, bundle, options) : here(bundle, options);
        };
      })) {}

int RunEngine(std::span<char* const> words) {
  return engine::HostEngine(words, LoadHosted);
}

}  // namespace slipway::cli
