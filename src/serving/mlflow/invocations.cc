#include "serving/mlflow/invocations.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/text.h"
#include "data/csv_rows.h"
#include "serving/mlflow/content_type.h"
#include "serving/mlflow/error.h"
#include "serving/prediction_call.h"
#include "serving/violation_text.h"

namespace slipway::serving::mlflow {
namespace {

using data::JsonTableForm;

constexpr size_t kBlockBytes = size_t{1} << 20;  ///< of CSV decoded at a time
constexpr data::JsonTableFormat::Member kTables[] = {{"dataframe_split", JsonTableForm::kSplit},
                                                     {"dataframe_records", JsonTableForm::kRecords},
                                                     {"instances", JsonTableForm::kRows},
                                                     {"inputs", JsonTableForm::kColumns}};
constexpr size_t kInputs = 3;
constexpr std::string_view kNotes[] = {"params"};
constexpr data::JsonTableEncoder::Style kStyle = {.non_finite_tokens = true};

base::Result<void> DecodeJson(ServedModel& served, std::string_view body, bool& one_row) {
  auto& tables = served.json_tables();
  const data::JsonTableFormat format = {.tables = kTables,
                                        .notes = kNotes,
                                        .context = {},
                                        .dialect = {.non_finite = data::JsonDialect::NonFinite::kNull},
                                        .one_row = tables.one_row};
  SLIPWAY_ASSIGN(const auto table, tables.decoder.Decode(body, format, served.rows()));
  one_row = tables.one_row && table.member == kInputs;
  // A bundle has no parameters; MLflow ignores them too where a model declares none.
  const std::string_view params = table.notes[0];
  if (params.empty() || params.starts_with('{') || params == "null") return {};
  return base::Fail(base::Code::kInvalidArgument, "params.type",
                    fmt::format("\"params\" is an object, not {}", base::Shorten(params)));
}

base::Result<void> DecodeCsv(ServedModel& served, std::string_view body) {
  data::CsvRowDecoder decoder(served.scorer().layout(), ',', served.limits().csv);
  const int64_t most = served.scorer().manifest().limits.max_batch_rows;
  const auto check = [&]() -> base::Result<void> {
    if (served.rows().table.rows <= most) return {};
    return base::Fail(base::Code::kInvalidArgument, "csv.limit",
                      fmt::format("this CSV holds more than {} rows, which is the model's limit for one request; send "
                                  "fewer rows at a time",
                                  most));
  };
  while (!body.empty()) {
    const std::string_view block = body.substr(0, kBlockBytes);
    body.remove_prefix(block.size());
    SLIPWAY_TRY(decoder.Feed(block, served.rows()));
    SLIPWAY_TRY(check());
  }
  SLIPWAY_TRY(decoder.Finish(served.rows()));
  return check();
}

/// False: rows break the schema, and the answer says which.
base::Result<bool> Answer(ServedModel& served, Content content, std::string_view body, std::string& out) {
  bool one_row = false;
  if (content == Content::kCsv) {
    SLIPWAY_TRY(DecodeCsv(served, body));
  } else {
    SLIPWAY_TRY(DecodeJson(served, body, one_row));
  }
  SLIPWAY_TRY(served.Score());
  const scoring::Scores& scores = served.scores();
  if (scores.report.rejected_rows > 0) return false;
  out = "{\"predictions\":";
  const auto& encoder = served.json_tables().encoder;
  if (one_row) {
    encoder.AppendRow(scores.predictions, 0, kStyle, out);
  } else {
    encoder.AppendRows(scores.predictions, kStyle, out);
  }
  out += '}';
  return true;
}

class MlflowCall final : public PredictionCall {
 public:
  MlflowCall(Predictor& predictor, const net::Request& request, net::Response& response)
      : PredictionCall(predictor, Door::kMlflow, request, response), reference_(request.Header("Slipway-Model")) {
    if (reference_.empty()) reference_ = request.QueryValue("model").value_or("");
  }

 private:
  std::string_view Reference() override { return reference_; }
  std::string_view Refuse() override {
    content_ = ContentOf(request().Header("Content-Type"));
    if (content_) return {};
    mlflow::WriteError(415,
                       fmt::format("this route takes application/json and text/csv, in UTF-8 and without other "
                                   "parameters, not \"{}\"",
                                   base::Shorten(request().Header("Content-Type"))),
                       response());
    return "request.media_type";
  }
  base::Result<bool> Answer(ServedModel& served) override {
    SLIPWAY_ASSIGN(const bool fine, mlflow::Answer(served, *content_, request().body, response().body));
    if (!fine) mlflow::WriteError(400, ViolationText(served.scores().report), response());
    return fine;
  }
  void WriteError(const base::Error& error) override {
    if (error.reason != "model.unnamed") return mlflow::WriteError(error, response());
    base::Error told = error;
    told.message += ", in the header Slipway-Model or as /invocations?model=…";
    mlflow::WriteError(told, response());
  }

  std::string reference_;
  std::optional<Content> content_;
};

}  // namespace

void Invocations::Handle(const net::Request& request, net::Response& response) const {
  MlflowCall(predictor_, request, response).Serve();
}

}  // namespace slipway::serving::mlflow
