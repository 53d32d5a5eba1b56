#pragma once
// Golden records: rows of the user's own data with the predictions the bundle gave when it was packed. Whoever loads
// the bundle can prove that it still answers the same.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::bundle {

/// A line of golden.jsonl: {"record":{…},"prediction":{…}} or {"record":{…},"violations":["schema.missing",…]}.
/// Texts are kept as written, so that predictions compare by bits.
struct GoldenRecord {
  std::string record;                   ///< a JSON object
  std::string prediction;               ///< a JSON object as the scorer's encoder writes it; empty when rejected
  std::vector<std::string> violations;  ///< codes, in the validator's order; empty when predicted
  friend bool operator==(const GoldenRecord&, const GoldenRecord&) = default;
};

struct GoldenSet {
  std::string cpu;  ///< base::CpuKind() of the machine that made the predictions; empty: not recorded
  std::vector<GoldenRecord> records;
  friend bool operator==(const GoldenSet&, const GoldenSet&) = default;
};

inline constexpr size_t kMaxGoldenRecords = 100'000;

/// The kind of CPU, where it is recorded, stands in the first line: {"cpu":"x86-64 avx2"}. Blank lines are skipped.
/// Errors: "bundle.golden" with `where` = "golden.jsonl:LINE".
base::Result<GoldenSet> ParseGolden(std::string_view text);
/// One line a record. Precondition: record and prediction are JSON objects on one line.
std::string FormatGolden(const GoldenSet& golden);

}  // namespace slipway::bundle
