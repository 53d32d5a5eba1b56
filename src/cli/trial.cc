#include "cli/trial.h"

#include <cstdlib>
#include <string_view>

#include "base/quantities.h"
#include "cli/engines.h"
#include "live/loaded_model.h"
#include "scoring/scorer.h"

namespace slipway::cli {
namespace {

base::Result<void> LoadHere(const bundle::Bundle& bundle, const engine::EngineOptions& options) {
  SLIPWAY_ASSIGN(const auto scorer, scoring::Scorer::Create(bundle, MakeEngines({}), {.engine = options}));
  // What golden records are answered with is for others to judge.
  const auto golden = live::CheckGolden(bundle, *scorer);
  return golden || golden.error().reason == "bundle.golden_mismatch" ? base::Result<void>()
                                                                     : std::unexpected(golden.error());
}

template <typename Quantity>
base::Result<void> ReadVariable(const char* name, base::Result<Quantity> (*parse)(std::string_view),
                                std::optional<Quantity>& value) {
  const char* text = std::getenv(name);
  if (text == nullptr) return {};
  auto parsed = parse(text);
  if (!parsed) {
    return base::Fail(base::Code::kInvalidArgument, "environment.malformed", parsed.error().message, name);
  }
  value = *parsed;
  return {};
}

}  // namespace

base::Result<engine::TrialLimits> TrialLimitsHere() {
  engine::TrialLimits limits;
  SLIPWAY_TRY(ReadVariable("SLIPWAY_TRIAL_TIME", base::ParseDuration, limits.time));
  SLIPWAY_TRY(ReadVariable("SLIPWAY_TRIAL_MEMORY", base::ParseBytes, limits.memory));
  return limits;
}

base::Result<void> TryFirst(const engine::TrialTask& task) {
  SLIPWAY_ASSIGN(const auto limits, TrialLimitsHere());
  return engine::TrialInChild(limits)(task);
}

int TryBundle(std::span<char* const> words) {
  return engine::RunTrial(words, LoadHere);
}

}  // namespace slipway::cli
