#pragma once
// The process that runs one model for a server: what is started with kIsolatedCommand. A thread for each lane, each
// with a session of its own, so that several calls are under way at the same time and the model is in memory once.

#include <functional>
#include <memory>
#include <span>

#include "base/error.h"
#include "bundle/bundle.h"
#include "engine/engine.h"

namespace slipway::engine {

/// A model that is loaded and found good.
struct HostedModel {
  ModelInfo info;
  std::function<base::Result<std::unique_ptr<Session>>()> new_session;  ///< from any thread
};
using HostedLoad = std::function<base::Result<HostedModel>(const bundle::Bundle&, const EngineOptions&)>;

/// Loads the bundle that it was lent, and runs its model until the server lets go of it. `words`: the program's
/// arguments after kIsolatedCommand. Returns an exit code when the model cannot be loaded; else does not return.
int HostEngine(std::span<char* const> words, const HostedLoad& load);

}  // namespace slipway::engine
