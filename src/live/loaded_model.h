#pragma once
// LoadedModel: one version that this process can score with, or could once it is loaded, and how a bundle becomes one.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/machine.h"
#include "bundle/bundle.h"
#include "engine/engine.h"
#include "scoring/contract.h"
#include "scoring/golden_check.h"
#include "scoring/scorer.h"

namespace slipway::live {

/// Immutable; shared by the snapshots that name it and the threads that score with it.
struct LoadedModel {
  int index = 0;  ///< unique in this process, never reused: request threads keep their workspaces by it
  std::string name;
  bundle::Version version;
  std::string version_text;
  std::string digest;                                 ///< "sha256:…"
  std::string source;                                 ///< where the bundle was read
  std::shared_ptr<const scoring::Contract> contract;  ///< never nullptr; whole once the version has been loaded
  /// nullptr: cold. Of a version that failed to load: what gives the constants of its fallback, if anything can.
  std::shared_ptr<const scoring::Scorer> scorer;
  std::optional<base::Error> failure;                   ///< why it could not be loaded
  base::SteadyTime next_try = base::SteadyTime::max();  ///< of a failed one: when it is loaded again by itself
  base::WallTime loaded_at;                             ///< when it was loaded last, as load_time
  std::chrono::nanoseconds load_time{0};
  std::chrono::nanoseconds one_row{0};  ///< that a golden record took alone, at the least; 0: not known
  scoring::GoldenReport golden;  ///< how the golden records were answered at load; nothing checked when there are none
  /// Up to three golden records that were predicted, as JSON objects, for documentation; none that holds a personal
  /// value.
  std::vector<std::string> examples;

  bool cold() const { return scorer == nullptr; }
  /// "sum@1.0.0", which means this very version.
  std::string reference() const { return name + "@" + version_text; }
};

struct LoadOptions {
  engine::EngineOptions engine;
  bool check_golden = true;
  size_t golden_records = 256;  ///< at most so many are checked; `slipway verify` checks all
  const base::Clock* clock = &base::Clock::System();
  base::Bytes (*resident_memory)() = &base::ResidentMemory;  ///< asked before and after a load
};

/// Whether the bundle answers its golden records, at most so many, as recorded: with the same bits, or near them on
/// another kind of CPU (scoring::CheckGolden). Errors: data_loss "bundle.golden_mismatch" naming the first record that
/// it does not; the engine failed.
base::Result<scoring::GoldenReport> CheckGolden(const bundle::Bundle& bundle, const scoring::Scorer& scorer,
                                                size_t most = LoadOptions().golden_records);

/// Reads a bundle's manifest and digest. `bytes`: of all its files, unpacked. Errors: those of Bundle::Open.
struct KnownBundle {
  std::shared_ptr<const LoadedModel> model;  ///< cold
  int64_t bytes = 0;
};
base::Result<KnownBundle> KnowBundle(const std::filesystem::path& path);

/// The same version without its engine.
std::shared_ptr<const LoadedModel> ColdCopy(const LoadedModel& model);

/// A version that cannot be loaded. `known`: its contract, when it had been loaded before, else nullptr.
std::shared_ptr<const LoadedModel> FailedModel(const bundle::Bundle& bundle, std::string source, base::Error error,
                                               std::shared_ptr<const scoring::Contract> known);

/// Opens a bundle, compiles it, warms it up, and checks its golden records.
/// Errors: those of Bundle::Open, Scorer::Create and CheckGolden().
base::Result<std::shared_ptr<const LoadedModel>> LoadBundle(const std::filesystem::path& path,
                                                            const engine::EngineTable& engines,
                                                            const LoadOptions& options = {});

}  // namespace slipway::live
