#include "serving/rest/predict_route.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "serving/http_status.h"
#include "serving/prediction_call.h"
#include "serving/rest/predict_options.h"
#include "serving/rest/predict_stream.h"
#include "serving/rest/problem.h"
#include "serving/rest/row_answer.h"
#include "serving/rest/row_pipe.h"

namespace slipway::serving::rest {
namespace {

constexpr std::string_view kViolation = "schema.violation";

class NativeCall final : public PredictionCall {
 public:
  NativeCall(Predictor& predictor, const net::Request& request, net::Response& response)
      : PredictionCall(predictor, Door::kNative, request, response) {}

 private:
  std::string_view Reference() override { return request().Parameter("model"); }
  std::string_view Refuse() override;
  base::Result<bool> Answer(ServedModel& served) override;
  void WriteError(const base::Error& error) override { WriteProblem(error, request(), response()); }

  base::Result<void> AnswerDocument(ServedModel& served);
  void AnswerOne(ServedModel& served);

  std::optional<PredictOptions> options_;
};

std::string_view NativeCall::Refuse() {
  auto options = ReadPredictOptions(request());
  if (options) {
    options_ = std::move(*options);
    return {};
  }
  const OptionFault& fault = options.error();
  WriteProblem(fault.status, fault.code, fault.detail, request(), response());
  return fault.code;
}

void NativeCall::AnswerOne(ServedModel& served) {
  const scoring::Scores& scores = served.scores();
  if (scores.report.rejected_rows > 0) {
    std::string members = ",\"violations\":";
    AppendViolations(scores.report.violations, members);
    const size_t count = scores.report.violations.size();
    WriteProblem(422, kViolation,
                 fmt::format("the record breaks the schema in {} place{}", count, count == 1 ? "" : "s"), request(),
                 response(), members);
    return;
  }
  std::string& out = response().body;
  out = served.answer_start();
  out += request().id;
  out += "\",\"prediction\":";
  served.writer().encoder().AppendRow(scores.predictions, 0, out);
  if (!scores.report.warnings.empty()) {
    out += ",\"warnings\":";
    AppendViolations(scores.report.warnings, out);
  }
  served.AppendFallback(out);
  if (options_->answer.timing) {
    out += ",\"timing_us\":";
    served.AppendTimings(out);
  }
  out += '}';
}

base::Result<void> NativeCall::AnswerDocument(ServedModel& served) {
  SLIPWAY_ASSIGN(const auto form, served.json_decoder().DecodeDocument(request().body, served.rows()));
  SLIPWAY_TRY(served.Score());
  if (form == data::JsonRowDecoder::Form::kRecord && options_->answer.form == BodyForm::kJson) {
    AnswerOne(served);
    return {};
  }
  RowAnswer answer(served, options_->answer);
  answer.Append(request(), response());
  answer.Finish(request(), response());
  return {};
}

/// Its answers tell of rejected rows themselves.
base::Result<bool> NativeCall::Answer(ServedModel& served) {
  response().content_type = options_->answer.media_type;
  if (options_->form == BodyForm::kJson) {
    SLIPWAY_TRY(AnswerDocument(served));
    return true;
  }
  RowAnswer answer(served, options_->answer);
  RowPipe pipe(options_->form, served, answer);
  SLIPWAY_TRY(pipe.Feed(request().body, request(), response()));
  SLIPWAY_TRY(pipe.Finish(request(), response()));
  answer.Finish(request(), response());
  return true;
}

}  // namespace

void PredictRoute::Handle(const net::Request& request, net::Response& response) const {
  NativeCall(predictor_, request, response).Serve();
}

std::unique_ptr<net::StreamedAnswer> PredictRoute::Open(const net::Request& request) const {
  const auto options = ReadPredictOptions(request);
  if (!options || options->form == BodyForm::kJson) return nullptr;
  if (options->answer.strict || options->answer.form == BodyForm::kJson) return nullptr;
  const bool found = predictor_.Acquire(request.thread, request.Parameter("model")).has_value();
  if (!found && predictor_.unloaded(request.thread) != nullptr) return nullptr;  // waits with its body
  return std::make_unique<PredictStream>(predictor_, *options);
}

}  // namespace slipway::serving::rest
