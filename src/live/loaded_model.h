#pragma once
// LoadedModel: one version that this process can score with, and how a bundle becomes one.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bundle/bundle.h"
#include "engine/engine.h"
#include "scoring/golden_check.h"
#include "scoring/scorer.h"

namespace slipway::live {

/// Immutable; shared by the snapshots that name it and the threads that score with it.
struct LoadedModel {
  int index = 0;  ///< unique in this process, never reused: request threads keep their workspaces by it
  std::string name;
  bundle::Version version;
  std::string version_text;
  std::string digest;  ///< "sha256:…"
  std::string source;  ///< where the bundle was read
  std::shared_ptr<const scoring::Scorer> scorer;
  base::WallTime loaded_at;
  std::chrono::nanoseconds load_time{0};
  std::chrono::nanoseconds one_row{0};  ///< that a golden record took alone, at the least; 0: not known
  scoring::GoldenReport golden;  ///< how the golden records were answered at load; nothing checked when there are none
  /// Up to three golden records that were predicted, as JSON objects, for documentation; none that holds a personal
  /// value.
  std::vector<std::string> examples;
};

struct LoadOptions {
  engine::EngineOptions engine;
  bool check_golden = true;
  size_t golden_records = 256;  ///< at most so many are checked; `slipway verify` checks all
  const base::Clock* clock = &base::Clock::System();
};

/// Whether the bundle answers its golden records, at most so many, as recorded: with the same bits, or near them on
/// another kind of CPU (scoring::CheckGolden). Errors: data_loss "bundle.golden_mismatch" naming the first record that
/// it does not; the engine failed.
base::Result<scoring::GoldenReport> CheckGolden(const bundle::Bundle& bundle, const scoring::Scorer& scorer,
                                                size_t most = LoadOptions().golden_records);

/// Opens a bundle, compiles it, warms it up, and checks its golden records.
/// Errors: those of Bundle::Open, Scorer::Create and CheckGolden().
base::Result<std::shared_ptr<const LoadedModel>> LoadBundle(const std::filesystem::path& path,
                                                            const engine::EngineTable& engines,
                                                            const LoadOptions& options = {});

}  // namespace slipway::live
