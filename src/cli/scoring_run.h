#pragma once
// The work behind `slipway predict`: read, score on several threads, write in the input's order.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/console.h"

namespace slipway::cli {

struct ScoringOptions {
  std::string bundle, input = "-", output = "-", format, output_format;
  std::vector<std::string> keep;
  int threads = 0;  ///< 0: the cgroup's budget
  bool strict = false;
  bool ignore_unknown = false;
};

struct ScoringOutcome {
  int64_t rows = 0, rejected = 0;
  std::string example;               ///< a violation's message
  std::vector<std::string> unknown;  ///< some fields that the schema does not know
  std::string tensor;                ///< the model's own input, when its schema is just that: "X (number[4])"
};

base::Result<ScoringOutcome> ScoreTable(const ScoringOptions& options, const Console& console);

}  // namespace slipway::cli
