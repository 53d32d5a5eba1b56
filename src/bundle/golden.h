#pragma once
// Golden records: rows of the user's own data with the predictions the bundle gave when it was packed. Whoever loads the
// bundle can prove that it still answers the same.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace slipway::bundle {

/// One line of golden.jsonl: {"record":{…},"prediction":{…}} or {"record":{…},"violations":[codes…]}.
/// Texts are kept as written, so that predictions compare by bits.
struct GoldenRecord {
  std::string record;      ///< JSON object
  std::string prediction;  ///< JSON object as the scorer's encoder writes it; empty when rejected
};

/// Errors: "bundle.golden" with the line.
base::Result<std::vector<GoldenRecord>> ParseGolden(std::string_view text);
std::string FormatGolden(const std::vector<GoldenRecord>& records);

}  // namespace slipway::bundle
