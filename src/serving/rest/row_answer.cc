#include "serving/rest/row_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "scoring/answers.h"
#include "serving/rest/problem.h"

namespace slipway::serving::rest {
namespace {

constexpr std::string_view kViolation = "schema.violation";

/// `{"row":3,"violations":[…]},…`, rows counted from `first_row`.
void AppendByRow(std::span<const data::Violation> violations, int64_t first_row, std::string& out) {
  for (size_t at = 0; at < violations.size();) {
    const int64_t row = violations[at].row;
    fmt::format_to(std::back_inserter(out), "{}{{\"row\":{},\"violations\":", out.empty() ? "" : ",", first_row + row);
    AppendViolations(scoring::ViolationsOf(violations, row, at), out);
    out += '}';
  }
}

void AppendMember(std::string_view name, std::string_view items, std::string& out) {
  if (!items.empty()) fmt::format_to(std::back_inserter(out), ",\"{}\":[{}]", name, items);
}

}  // namespace

void AppendViolations(std::span<const data::Violation> violations, std::string& out) {
  out += '[';
  for (size_t i = 0; i < violations.size(); ++i) {
    if (i > 0) out += ',';
    out += base::ToJson(data::ToValue(violations[i]));
  }
  out += ']';
}

void RowAnswer::Append(const net::Request& request, net::Response& response) {
  const scoring::Scores& scores = served_->scores();
  switch (options_.form) {
    case BodyForm::kJson:
      AppendJson(request, response.body);
      break;
    case BodyForm::kJsonLines:
      served_->writer().AppendLines(scores, rows_, response.body);
      break;
    case BodyForm::kCsv:
      AppendCsv(response.body);
      break;
  }
  if (options_.strict || options_.form == BodyForm::kJson) AppendByRow(scores.report.violations, rows_, errors_);
  rows_ += scores.predictions.rows;
  rejected_ += scores.report.rejected_rows;
}

void RowAnswer::AppendJson(const net::Request& request, std::string& out) {
  const scoring::Scores& scores = served_->scores();
  if (!std::exchange(begun_, true)) {
    out = served_->answer_start();
    out += request.id;
    out += "\",\"predictions\":[";
  }
  for (int64_t row = 0; row < scores.predictions.rows; ++row) {
    if (rows_ + row > 0) out += ',';
    if (scores.report.rejected[static_cast<size_t>(row)]) {
      out += "null";
    } else {
      served_->writer().encoder().AppendRow(scores.predictions, row, out);
    }
  }
  AppendByRow(scores.report.warnings, rows_, warnings_);
}

void RowAnswer::AppendCsvHeader(std::string& out) {
  if (std::exchange(begun_, true)) return;
  served_->csv_encoder().AppendHeader(out);
  out.pop_back();
  out += ",error\n";
}

void RowAnswer::AppendCsv(std::string& out) {
  AppendCsvHeader(out);
  const scoring::Scores& scores = served_->scores();
  size_t at = 0;
  for (int64_t row = 0; row < scores.predictions.rows; ++row) {
    served_->csv_encoder().AppendRow(scores.predictions, row, out);
    out += ',';
    if (scores.report.rejected[static_cast<size_t>(row)]) {
      const auto violations = scoring::ViolationsOf(scores.report.violations, row, at);
      data::CsvRowEncoder::AppendCell(base::ToJson(scoring::ErrorOf(violations)), ',', out);
    }
    out += '\n';
  }
}

bool RowAnswer::Finish(const net::Request& request, net::Response& response) {
  const bool all = options_.form == BodyForm::kJson && rows_ > 0 && rejected_ == rows_;
  if (all || (options_.strict && rejected_ > 0)) {
    std::string members;
    AppendMember("errors", errors_, members);
    WriteProblem(422, kViolation,
                 rejected_ == rows_ ? fmt::format("all {} records break the schema", rows_)
                                    : fmt::format("{} of {} records break the schema", rejected_, rows_),
                 request, response, members);
    return false;
  }
  if (options_.form == BodyForm::kCsv) AppendCsvHeader(response.body);
  if (options_.form != BodyForm::kJson) return true;
  std::string& out = response.body;
  if (!begun_) AppendJson(request, out);  // no rows
  out += ']';
  AppendMember("errors", errors_, out);
  AppendMember("warnings", warnings_, out);
  served_->AppendFallback(out);
  if (options_.timing) {
    out += ",\"timing_us\":";
    served_->AppendTimings(out);
  }
  out += '}';
  return true;
}

void RowAnswer::AppendFailure(std::string_view code, std::string_view message, std::string& out) {
  std::string error = "{\"code\":";
  base::AppendJsonString(error, code);
  error += ",\"message\":";
  base::AppendJsonString(error, message);
  error += '}';
  if (options_.form == BodyForm::kJsonLines) {
    out += "{\"error\":" + error + "}\n";
    return;
  }
  AppendCsvHeader(out);
  std::string header;
  served_->csv_encoder().AppendHeader(header);
  out.append(static_cast<size_t>(std::ranges::count(header, ',')) + 1, ',');
  data::CsvRowEncoder::AppendCell(error, ',', out);
  out += '\n';
}

}  // namespace slipway::serving::rest
