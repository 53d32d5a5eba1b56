#pragma once
// NearPredictions compares predictions that another kind of CPU made: its kernels add up in another order, so numbers
// may differ in their last bits, and nothing else may.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "bundle/golden.h"

namespace slipway::scoring {

/// A number that differs.
struct NumberDifference {
  int64_t record = -1;  ///< index of the golden record
  std::string field;    ///< "probability", "probabilities[1]", "classes.setosa"
  double expected = 0, got = 0;
  double share = 0;  ///< of the expected value, or of the field's usual size where the value is smaller
};

/// Thread-safety: one thread.
class NearPredictions {
 public:
  /// `records`: all that will be compared; they tell how large the numbers of a field usually are (their mean absolute
  /// value), so that a number near 0 is not held to digits it never had.
  NearPredictions(std::span<const bundle::GoldenRecord> records, double tolerance);

  /// Whether a prediction is near the expected one of a record: every number within the tolerance, everything else
  /// (texts, booleans, integers, nulls, keys, lengths) equal. `nudged`: the same prediction made from outputs moved by
  /// the tolerance; what `got` answers otherwise than expected may be answered as expected by one of these, for then
  /// only a threshold or a rounding lies in between.
  bool Near(int64_t record, std::string_view got, std::span<const std::string> nudged = {});

  /// The largest difference of a number that Near() met in predictions it found near; record -1: none.
  const NumberDifference& worst() const { return worst_; }

 private:
  bool NearValue(const base::Value& expected, std::span<const base::Value* const> answers, double usual);
  bool NearNumber(double expected, std::span<const base::Value* const> answers, double usual);

  std::vector<std::string_view> expected_;
  double tolerance_;
  std::map<std::string, double, std::less<>> usual_;  ///< by top-level field
  NumberDifference worst_, worst_here_;
  std::string path_;
};

}  // namespace slipway::scoring
