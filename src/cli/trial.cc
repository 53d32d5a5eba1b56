#include "cli/trial.h"

#include <cstdlib>
#include <string_view>

#include "base/quantities.h"
#include "bundle/golden.h"
#include "cli/engines.h"
#include "live/loaded_model.h"
#include "scoring/golden_check.h"
#include "scoring/scorer.h"

namespace slipway::cli {
namespace {

base::Result<void> LoadHere(const bundle::Bundle& bundle, const engine::EngineOptions& options) {
  SLIPWAY_ASSIGN(const auto scorer, scoring::Scorer::Create(bundle, MakeEngines({}), {.engine = options}));
  if (!bundle.Has(bundle::kGoldenFile)) return {};
  SLIPWAY_ASSIGN(const auto text, bundle.Read(bundle::kGoldenFile));
  SLIPWAY_ASSIGN(const auto golden, bundle::ParseGolden(text));
  // What they are answered with is for others to judge.
  SLIPWAY_TRY(scoring::CheckGolden(*scorer, golden, live::LoadOptions().golden_records));
  return {};
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

base::Result<void> TryFirst(const engine::TrialTask& task) {
  engine::TrialLimits limits;
  SLIPWAY_TRY(ReadVariable("SLIPWAY_TRIAL_TIME", base::ParseDuration, limits.time));
  SLIPWAY_TRY(ReadVariable("SLIPWAY_TRIAL_MEMORY", base::ParseBytes, limits.memory));
  return engine::TrialInChild(limits)(task);
}

int TryBundle(std::span<char* const> words) {
  return engine::RunTrial(words, LoadHere);
}

}  // namespace slipway::cli
