#pragma once
// Golden records: rows of the user's own data with the predictions the bundle gave when it was packed. Whoever loads
// the bundle can prove that it still answers the same.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::bundle {

/// One line of golden.jsonl: {"record":{…},"prediction":{…}} or {"record":{…},"violations":["schema.missing",…]}.
/// Texts are kept as written, so that predictions compare by bits.
struct GoldenRecord {
  std::string record;                   ///< a JSON object
  std::string prediction;               ///< a JSON object as the scorer's encoder writes it; empty when rejected
  std::vector<std::string> violations;  ///< codes, in the validator's order; empty when predicted
  friend bool operator==(const GoldenRecord&, const GoldenRecord&) = default;
};

inline constexpr size_t kMaxGoldenRecords = 100'000;

/// Blank lines are skipped. Errors: "bundle.golden" with `where` = "golden.jsonl:LINE".
base::Result<std::vector<GoldenRecord>> ParseGolden(std::string_view text);
/// One line a record. Precondition: record and prediction are JSON objects on one line.
std::string FormatGolden(const std::vector<GoldenRecord>& records);

}  // namespace slipway::bundle
