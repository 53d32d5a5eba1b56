#include "scoring/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace slipway::scoring {

std::span<const data::Violation> ViolationsOf(std::span<const data::Violation> violations, int64_t row, size_t& from) {
  while (from < violations.size() && violations[from].row < row) ++from;
  const size_t begin = from;
  while (from < violations.size() && violations[from].row == row) ++from;
  return violations.subspan(begin, from - begin);
}

base::Value ErrorOf(std::span<const data::Violation> violations) {
  auto list = base::Value::List();
  for (const auto& violation : violations) list.Add(data::ToValue(violation));
  return base::Value::Map().Set("code", "schema.violation").Set("violations", std::move(list));
}

AnswerWriter::AnswerWriter(const Scorer& scorer, std::span<const std::string> leave_out)
    : encoder_(scorer.output_fields()) {
  const auto& fields = scorer.output_fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (std::ranges::find(leave_out, fields[i].name) == leave_out.end()) shown_.push_back(i);
  }
}

void AnswerWriter::AppendLine(const Scores& scores, int64_t row, int64_t number, size_t& at, size_t& warned,
                              std::string& out) const {
  fmt::format_to(std::back_inserter(out), "{{\"row\":{},", number);
  if (scores.report.rejected[static_cast<size_t>(row)]) {
    out += "\"error\":";
    out += base::ToJson(ErrorOf(ViolationsOf(scores.report.violations, row, at)));
    return;
  }
  out += "\"prediction\":";
  encoder_.AppendRow(scores.predictions, shown_, row, out);
  const auto warnings = ViolationsOf(scores.report.warnings, row, warned);
  if (warnings.empty()) return;
  out += ",\"warnings\":";
  auto list = base::Value::List();
  for (const auto& warning : warnings) list.Add(data::ToValue(warning));
  out += base::ToJson(list);
}

}  // namespace slipway::scoring
