#include "serving/violation_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace slipway::serving {
namespace {

constexpr std::ptrdiff_t kShown = 8;

}  // namespace

std::string ViolationText(const schema::Report& report) {
  const auto& violations = report.violations;
  std::string text = fmt::format("{} of {} row{} break{} the schema", report.rejected_rows, report.rejected.size(),
                                 report.rejected.size() == 1 ? "" : "s", report.rejected_rows == 1 ? "s" : "");
  for (const auto& violation :
       std::span(violations).first(static_cast<size_t>(std::min(kShown, std::ssize(violations))))) {
    fmt::format_to(std::back_inserter(text), "; row {}{}{}: {}", violation.row, violation.path.empty() ? "" : ", ",
                   violation.path, data::ViolationCodeName(violation.code));
    if (!violation.rule.empty()) fmt::format_to(std::back_inserter(text), " ({})", violation.rule);
    fmt::format_to(std::back_inserter(text), ": {}", violation.message);
  }
  const int64_t more = std::ssize(violations) - std::min(std::ssize(violations), kShown) + report.left_out;
  if (more > 0) fmt::format_to(std::back_inserter(text), "; and {} more violations", more);
  return text;
}

}  // namespace slipway::serving
