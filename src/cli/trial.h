#pragma once
// Trying a bundle's model in a process of its own: this program, started with a command that people do not see.

#include <span>

#include "base/error.h"
#include "engine/trial/bundle_trial.h"

namespace slipway::cli {

/// What people may set in the environment: SLIPWAY_TRIAL_TIME, SLIPWAY_TRIAL_MEMORY. Errors: "environment.malformed"
/// naming the variable.
base::Result<engine::TrialLimits> TrialLimitsHere();

/// Tries a model within those limits. Errors: those of TrialInChild() and TrialLimitsHere().
base::Result<void> TryFirst(const engine::TrialTask& task);

/// The command: loads the bundle as every command does, scores its first golden records, and returns an exit code of
/// engine::RunTrial(). `words`: what follows engine::kTrialCommand.
int TryBundle(std::span<char* const> words);

}  // namespace slipway::cli
