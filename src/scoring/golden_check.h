#pragma once
// Makes and checks golden records: a bundle that is loaded anywhere must answer them with the bits it had when packed.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bundle/golden.h"
#include "scoring/scorer.h"

namespace slipway::scoring {

/// Scores each record (a JSON object) and keeps what came out.
base::Result<std::vector<bundle::GoldenRecord>> MakeGolden(const Scorer& scorer, std::span<const std::string> records);

struct GoldenMismatch {
  int64_t index;         ///< of the record
  std::string expected;  ///< prediction JSON, or "rejected: schema.null, …"
  std::string got;
};

struct GoldenReport {
  int64_t checked = 0;
  std::vector<GoldenMismatch> mismatches;  ///< the first 20
  int64_t mismatch_count = 0;
};

/// Scores all records alone and as one batch; both must give the recorded text. Errors: the engine failed.
base::Result<GoldenReport> CheckGolden(const Scorer& scorer, std::span<const bundle::GoldenRecord> records);

}  // namespace slipway::scoring
