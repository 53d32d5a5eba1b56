#pragma once
// Answers: how one scored row is written, the same by `predict` and by every native route.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "data/json_rows.h"
#include "data/violation.h"
#include "scoring/scorer.h"

namespace slipway::scoring {

/// The violations of one row within a report's list, which is sorted by row. `from`: where the last call ended.
std::span<const data::Violation> ViolationsOf(std::span<const data::Violation> violations, int64_t row, size_t& from);

/// {"code":"schema.violation","violations":[…]}
base::Value ErrorOf(std::span<const data::Violation> violations);

/// Writes answers of one scorer. Thread-safety: const access.
class AnswerWriter {
 public:
  /// `leave_out`: outputs that are not written.
  explicit AnswerWriter(const Scorer& scorer, std::span<const std::string> leave_out = {});

  const data::JsonRowEncoder& encoder() const { return encoder_; }

  /// Appends one JSON line per row: {"row":0,"prediction":{…}} or {"row":3,"error":{…}}; with warnings of a scored row
  /// as "warnings". `number(row)`: of the row. `extra(row, out)` may append members, each led by a comma; rows that
  /// `skipped(row)` get no line.
  template <typename Number, typename Extra, typename Skipped>
  void AppendLines(const Scores& scores, Number&& number, std::string& out, Extra&& extra, Skipped&& skipped) const {
    size_t at = 0, warned = 0;
    for (int64_t row = 0; row < scores.predictions.rows; ++row) {
      if (skipped(row)) continue;
      AppendLine(scores, row, number(row), at, warned, out);
      extra(row, out);
      out += "}\n";
    }
  }
  void AppendLines(const Scores& scores, int64_t first_row, std::string& out) const {
    AppendLines(
        scores, [first_row](int64_t row) { return first_row + row; }, out, [](int64_t, std::string&) {},
        [](int64_t) { return false; });
  }

 private:
  void AppendLine(const Scores& scores, int64_t row, int64_t number, size_t& at, size_t& warned,
                  std::string& out) const;

  data::JsonRowEncoder encoder_;
  std::vector<size_t> shown_;  ///< places of the outputs that are written
};

}  // namespace slipway::scoring
