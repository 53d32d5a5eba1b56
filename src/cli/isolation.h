#pragma once
// Models in processes of their own: which of them `serve` gives one, and this program as that process.

#include <memory>
#include <span>
#include <string_view>

#include "engine/engine.h"
#include "engine/isolated/isolator.h"
#include "telemetry/log.h"

namespace slipway::cli {

struct IsolationConfig {
  enum class Which : uint8_t {
    kManifest,  ///< as each bundle says (`model: {isolation: process}`)
    kAll,
    kNone,
  };
  Which which = Which::kManifest;
  engine::IsolationOptions options;
};

/// The engines of a server. Make it on the main thread: see engine::Isolator.
class ServingEngines {
 public:
  /// Ends of processes are told to the log, which outlives all engines.
  ServingEngines(IsolationConfig config, telemetry::Log& log);
  const engine::EngineTable& table() const { return table_; }

 private:
  const IsolationConfig config_;
  engine::Isolator isolator_;
  engine::EngineTable table_;
};

/// The command: loads the bundle that it was lent, checks its golden records, and runs its model for the server.
/// `words`: what follows engine::kIsolatedCommand.
int RunEngine(std::span<char* const> words);

}  // namespace slipway::cli
