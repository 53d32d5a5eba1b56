#pragma once
// Makes and checks golden records: a bundle that is loaded anywhere must answer them as it did when it was packed: with
// the same bits on a CPU of the same kind, and with numbers that are very near on another kind, whose kernels add up in
// another order (docs/design/same-bits.md).

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/golden.h"
#include "scoring/near_predictions.h"
#include "scoring/scorer.h"

namespace slipway::scoring {

/// Scores each record (a JSON object) and keeps what came out, and on what kind of CPU.
base::Result<bundle::GoldenSet> MakeGolden(const Scorer& scorer, std::span<const std::string> records);

struct GoldenMismatch {
  int64_t index;         ///< of the record
  std::string expected;  ///< prediction JSON, or "rejected: schema.null, …"
  std::string got;
};

struct GoldenReport {
  int64_t checked = 0;
  std::vector<GoldenMismatch> mismatches;  ///< the first 20
  int64_t mismatch_count = 0;
  std::string packed_on;                ///< kind of CPU; empty: not recorded, which asks for the same bits
  std::string checked_on;               ///< kind of CPU of this machine
  double tolerance = 0;                 ///< 0: the same bits were asked for
  int64_t near = 0;                     ///< records answered within the tolerance, but not with the same bits
  NumberDifference worst;               ///< of those; record -1: none
  std::chrono::nanoseconds fastest{0};  ///< that a record took alone; 0: none was predicted

  /// {"checked", "different", "packed_on", "cpu", "tolerance", "near", "worst": {…}}; without the mismatches.
  base::Value ToValue() const;
  /// "bit for bit", or how near and why no nearer: "within 1e-05 of records packed on …".
  std::string HowCompared() const;
};

/// Scores the first `most` records alone and as one batch; both must give what is recorded. On another kind of CPU than
/// recorded, numbers may differ by the manifest's golden.tolerance, alone and in the batch alike. Errors: the engine
/// failed.
base::Result<GoldenReport> CheckGolden(const Scorer& scorer, const bundle::GoldenSet& golden,
                                       size_t most = std::numeric_limits<size_t>::max());

}  // namespace slipway::scoring
