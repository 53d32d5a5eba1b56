#include "serving/rest/predict_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "scoring/answers.h"
#include "serving/rest/media_type.h"
#include "serving/rest/problem.h"

namespace slipway::serving::rest {
namespace {

constexpr int64_t kBlockRows = 1024;             ///< of JSON lines and CSV scored together
constexpr size_t kBlockBytes = size_t{1} << 20;  ///< of CSV decoded at a time
constexpr std::string_view kViolation = "schema.violation";

/// One call on its way through.
struct Call {
  const net::Request& request;
  net::Response& response;
  ServedModel& served;
};

void AppendViolations(std::span<const data::Violation> violations, std::string& out) {
  out += '[';
  for (size_t i = 0; i < violations.size(); ++i) {
    if (i > 0) out += ',';
    out += base::ToJson(data::ToValue(violations[i]));
  }
  out += ']';
}

/// `,"name":[{"row":3,"violations":[…]},…]`, or nothing when there are none.
void AppendByRow(std::string_view name, std::span<const data::Violation> violations, std::string& out) {
  if (violations.empty()) return;
  fmt::format_to(std::back_inserter(out), ",\"{}\":[", name);
  size_t at = 0;
  while (at < violations.size()) {
    const int64_t row = violations[at].row;
    fmt::format_to(std::back_inserter(out), "{}{{\"row\":{},\"violations\":", at == 0 ? "" : ",", row);
    AppendViolations(scoring::ViolationsOf(violations, row, at), out);
    out += '}';
  }
  out += ']';
}

void AnswerOne(Call& call) {
  const scoring::Scores& scores = call.served.scores();
  if (scores.report.rejected_rows > 0) {
    std::string members = ",\"violations\":";
    AppendViolations(scores.report.violations, members);
    const size_t count = scores.report.violations.size();
    WriteProblem(422, kViolation,
                 fmt::format("the record breaks the schema in {} place{}", count, count == 1 ? "" : "s"), call.request,
                 call.response, members);
    return;
  }
  std::string& out = call.response.body;
  out = call.served.answer_start();
  out += call.request.id;
  out += "\",\"prediction\":";
  call.served.writer().encoder().AppendRow(scores.predictions, 0, out);
  if (!scores.report.warnings.empty()) {
    out += ",\"warnings\":";
    AppendViolations(scores.report.warnings, out);
  }
  out += '}';
}

void AnswerList(Call& call) {
  const scoring::Scores& scores = call.served.scores();
  const int64_t rows = scores.predictions.rows;
  if (rows > 0 && scores.report.rejected_rows == rows) {
    std::string members;
    AppendByRow("errors", scores.report.violations, members);
    WriteProblem(422, kViolation, fmt::format("all {} records break the schema", rows), call.request, call.response,
                 members);
    return;
  }
  std::string& out = call.response.body;
  out = call.served.answer_start();
  out += call.request.id;
  out += "\",\"predictions\":[";
  for (int64_t row = 0; row < rows; ++row) {
    if (row > 0) out += ',';
    if (scores.report.rejected[static_cast<size_t>(row)]) {
      out += "null";
    } else {
      call.served.writer().encoder().AppendRow(scores.predictions, row, out);
    }
  }
  out += ']';
  AppendByRow("errors", scores.report.violations, out);
  AppendByRow("warnings", scores.report.warnings, out);
  out += '}';
}

base::Result<void> AnswerDocument(Call& call) {
  SLIPWAY_ASSIGN(const auto form, call.served.json_decoder().DecodeDocument(call.request.body, call.served.rows()));
  SLIPWAY_TRY(call.served.Score());
  if (form == data::JsonRowDecoder::Form::kRecord) {
    AnswerOne(call);
  } else {
    AnswerList(call);
  }
  return {};
}

base::Result<void> FlushLines(Call& call, int64_t& first_row) {
  if (call.served.rows().table.rows == 0) return {};
  SLIPWAY_TRY(call.served.Score());
  call.served.writer().AppendLines(call.served.scores(), first_row, call.response.body);
  first_row += call.served.rows().table.rows;
  call.served.rows().Clear();
  return {};
}

base::Result<void> AnswerLines(Call& call) {
  int64_t first_row = 0;
  for (std::string_view rest = call.request.body; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = base::Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    call.served.json_decoder().DecodeLine(line, call.served.rows());
    if (call.served.rows().table.rows >= kBlockRows) SLIPWAY_TRY(FlushLines(call, first_row));
  }
  return FlushLines(call, first_row);
}

base::Result<void> FlushCsv(Call& call) {
  auto& rows = call.served.rows();
  if (rows.table.rows == 0) return {};
  SLIPWAY_TRY(call.served.Score());
  const scoring::Scores& scores = call.served.scores();
  std::string& out = call.response.body;
  size_t at = 0;
  for (int64_t row = 0; row < scores.predictions.rows; ++row) {
    call.served.csv_encoder().AppendRow(scores.predictions, row, out);
    out += ',';
    if (scores.report.rejected[static_cast<size_t>(row)]) {
      const auto violations = scoring::ViolationsOf(scores.report.violations, row, at);
      data::CsvRowEncoder::AppendCell(base::ToJson(scoring::ErrorOf(violations)), ',', out);
    }
    out += '\n';
  }
  rows.Clear();
  return {};
}

base::Result<void> AnswerCsv(Call& call) {
  std::string& out = call.response.body;
  call.served.csv_encoder().AppendHeader(out);
  out.pop_back();
  out += ",error\n";
  data::CsvRowDecoder decoder(call.served.scorer().layout());
  std::string_view rest = call.request.body;
  while (!rest.empty()) {
    const std::string_view block = rest.substr(0, kBlockBytes);
    rest.remove_prefix(block.size());
    SLIPWAY_TRY(decoder.Feed(block, call.served.rows()));
    SLIPWAY_TRY(FlushCsv(call));
  }
  SLIPWAY_TRY(decoder.Finish(call.served.rows()));
  return FlushCsv(call);
}

base::Result<void> AnswerIn(BodyForm form, Call& call) {
  call.response.content_type = MediaTypeOf(form);
  switch (form) {
    case BodyForm::kJson:
      return AnswerDocument(call);
    case BodyForm::kJsonLines:
      return AnswerLines(call);
    case BodyForm::kCsv:
      return AnswerCsv(call);
  }
  return {};
}

}  // namespace

void PredictRoute::Handle(const net::Request& request, net::Response& response) const {
  RequestNote& note = predictor_.note(request.thread);
  auto served = predictor_.Acquire(request.thread, request.Parameter("model"));
  if (!served) {
    note.code = "model.unresolved";
    WriteProblem(served.error(), request, response);
    return;
  }
  response.AddHeaderLines((*served)->header_lines());
  const auto form = BodyFormOf(request.Header("Content-Type"));
  if (!form) {
    note.code = "request.media_type";
    WriteProblem(415, "request.media_type",
                 fmt::format("this route takes {} in UTF-8, not \"{}\"", kKnownMediaTypes,
                             base::Shorten(request.Header("Content-Type"))),
                 request, response);
    return;
  }
  Call call{request, response, **served};
  call.served.Begin(Door::kNative);
  const auto answered = AnswerIn(*form, call);
  if (!answered) {
    note.code = base::CodeName(answered.error().code);
    WriteProblem(answered.error(), request, response);
  }
  note.rows = call.served.call_rows();
  note.rejected = call.served.call_rejected();
  call.served.End(!answered);
}

}  // namespace slipway::serving::rest
