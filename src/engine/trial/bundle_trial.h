#pragma once
// A model that might crash, hang or flood the process that loads it is tried in another process first: this program
// itself, started with a command of its own, does there what loading the bundle will do here. Why, what it costs and
// what it cannot see: docs/design/models-are-tried-first.md.

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"
#include "bundle/bundle.h"
#include "engine/engine.h"

namespace slipway::engine {

/// A bundle whose model is about to be loaded.
struct TrialTask {
  const bundle::Bundle& bundle;
  const EngineOptions& options;
  std::vector<std::string> external_files;  ///< that the model reads beside bundle.Files()
  std::string_view runtime;                 ///< what would crash: "ONNX Runtime"
  std::string_view cause;                   ///< why it is tried: "Conv, MaxPool"; follows "because of"
};

/// Tries a model where it can do no harm. Errors: those of TrialInChild().
using BundleTrial = std::function<base::Result<void>(const TrialTask&)>;

/// nullopt: chosen when a model is tried.
struct TrialLimits {
  std::optional<std::chrono::nanoseconds> time;  ///< a minute, and a second for every 32 MiB of the bundle
  std::optional<base::Bytes> memory;             ///< three quarters of what the machine and its cgroups have left
};

/// The word that makes this program a trial, as its first argument.
inline constexpr std::string_view kTrialCommand = "try-bundle";

/// Tries models by starting `program`, which must end in RunTrial().
/// Errors: invalid_argument "engine.model": the model crashed the other process, took more than its share, or was
/// refused there as it would be here; unavailable "engine.trial": the other process could not be started; those of
/// PackParcel().
BundleTrial TrialInChild(TrialLimits limits, std::string program = "/proc/self/exe");

/// Loads a bundle as the process does that has it tried.
using TrialLoad = std::function<base::Result<void>(const bundle::Bundle&, const EngineOptions&)>;

/// The other process: `words` are the program's arguments after kTrialCommand. Opens the bundle that it was lent, loads
/// it, and returns the exit code that tells the outcome. Only "engine.model" and "engine.memory" of `load` count: other
/// errors are told by the process that will run into them itself. Does not return when all went well: what a model may
/// have left behind is not worth tidying.
int RunTrial(std::span<char* const> words, const TrialLoad& load);

}  // namespace slipway::engine
