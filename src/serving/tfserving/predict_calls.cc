#include "serving/tfserving/predict_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "data/row_text.h"
#include "serving/prediction_call.h"
#include "serving/tfserving/class_outputs.h"
#include "serving/tfserving/error.h"
#include "serving/version_reference.h"
#include "serving/violation_text.h"

namespace slipway::serving::tfserving {
namespace {

using data::JsonTableForm;
using Member = data::JsonTableFormat::Member;

constexpr data::JsonTableEncoder::Style kStyle = {.non_finite_tokens = true, .bytes_suffix = true, .labels = false};
constexpr data::JsonDialect kDialect = {.non_finite = data::JsonDialect::NonFinite::kNumber, .base64 = true};
constexpr std::string_view kNotes[] = {"signature_name"};
constexpr Member kPredictTables[] = {{"instances", JsonTableForm::kRows}, {"inputs", JsonTableForm::kColumns}};
constexpr Member kExampleTables[] = {{"examples", JsonTableForm::kRecords}};
constexpr size_t kInputs = 1;  ///< in kPredictTables
// A feature of an example is a list, most often of one value.
constexpr data::JsonTableFormat kExamples = {
    .tables = kExampleTables, .notes = kNotes, .context = "context", .dialect = kDialect, .any_list = true};

base::Result<void> CheckSignatureNote(Method method, std::string_view note) {
  if (note.empty()) return {};
  const auto name = base::ParseJson(note);
  if (name && name->is_string()) return CheckSignature(method, name->string());
  return base::Fail(base::Code::kInvalidArgument, "signature.type",
                    fmt::format("\"signature_name\" is a string, not {}", base::Shorten(note)));
}

/// Decodes and scores. False: rows break the schema, and the answer says which.
base::Result<bool> Score(ServedModel& served, Method method, const data::JsonTableFormat& format, std::string_view body,
                         data::JsonTable& table) {
  SLIPWAY_ASSIGN(table, served.json_tables().decoder.Decode(body, format, served.rows()));
  SLIPWAY_TRY(CheckSignatureNote(method, table.notes[0]));
  SLIPWAY_TRY(served.Score());
  return served.scores().report.rejected_rows == 0;
}

base::Result<bool> Predict(ServedModel& served, std::string_view body, std::string& out) {
  const auto& tables = served.json_tables();
  data::JsonTable table;
  SLIPWAY_ASSIGN(
      const bool fine,
      Score(served, Method::kPredict,
            {.tables = kPredictTables, .notes = kNotes, .context = {}, .dialect = kDialect, .one_row = tables.one_row},
            body, table));
  if (!fine) return false;
  const data::Table& predictions = served.scores().predictions;
  const bool columns = table.member == kInputs;
  out = columns ? "{\"outputs\":" : "{\"predictions\":";
  if (!columns) {
    tables.encoder.AppendRows(predictions, kStyle, out);
  } else if (tables.one_row) {
    tables.encoder.AppendRow(predictions, 0, kStyle, out);
  } else {
    tables.encoder.AppendColumns(predictions, kStyle, out);
  }
  out += '}';
  return true;
}

/// `append(row)` writes one result.
template <typename Append>
base::Result<bool> Examples(ServedModel& served, Method method, std::string_view body, std::string& out,
                            Append append) {
  data::JsonTable table;
  SLIPWAY_ASSIGN(const bool fine, Score(served, method, kExamples, body, table));
  if (!fine) return false;
  out = "{\"results\":[";
  for (int64_t row = 0; row < served.scores().predictions.rows; ++row) {
    if (row > 0) out += ',';
    append(row);
  }
  out += "]}";
  return true;
}

base::Result<bool> Classify(ServedModel& served, std::string_view body, std::string& out) {
  const auto& fields = served.scorer().output_fields();
  const auto classes = FindClasses(fields);
  if (!classes) return std::unexpected(NoSuchOutput(":classify", kClassesWanted, ":predict"));
  return Examples(served, Method::kClassify, body, out,
                  [&](int64_t row) { AppendClasses(*classes, fields, served.scores().predictions, row, out); });
}

base::Result<bool> Regress(ServedModel& served, std::string_view body, std::string& out) {
  const auto& fields = served.scorer().output_fields();
  const auto value = FindValue(fields);
  if (!value) return std::unexpected(NoSuchOutput(":regress", kValueWanted, ":predict"));
  return Examples(served, Method::kRegress, body, out, [&](int64_t row) {
    const auto column = served.scores().predictions.columns[*value].view();
    if (column.IsValid(row)) {
      data::AppendJsonElement(fields[*value], column, row, out, {.non_finite_tokens = true});
    } else {
      out += "null";
    }
  });
}

base::Result<bool> Answer(Method method, ServedModel& served, std::string_view body, std::string& out) {
  switch (method) {
    case Method::kPredict:
      return Predict(served, body, out);
    case Method::kClassify:
      return Classify(served, body, out);
    case Method::kRegress:
      return Regress(served, body, out);
  }
  return true;
}

}  // namespace

std::string ReferenceOf(const live::LiveSet& live, const net::Request& request) {
  std::string reference;
  const auto label = request.Parameter("label");
  ComposeReference(live, request.Parameter("model"), label.empty() ? request.Parameter("version") : label, reference);
  return reference;
}

namespace {

class TfServingCall final : public PredictionCall {
 public:
  TfServingCall(Method method, const live::LiveSet& live, Predictor& predictor, const net::Request& request,
                net::Response& response)
      : PredictionCall(predictor, Door::kTfServing, request, response),
        method_(method),
        reference_(ReferenceOf(live, request)) {}

 private:
  std::string_view Reference() override { return reference_; }
  void WriteError(const base::Error& error) override { tfserving::WriteError(error, response()); }
  base::Result<bool> Answer(ServedModel& served) override {
    SLIPWAY_ASSIGN(const bool fine, tfserving::Answer(method_, served, request().body, response().body));
    if (!fine) tfserving::WriteError(400, ViolationText(served.scores().report), response());
    return fine;
  }

  const Method method_;
  const std::string reference_;
};

}  // namespace

void PredictCalls::Handle(Method method, const net::Request& request, net::Response& response) const {
  TfServingCall(method, live_, predictor_, request, response).Serve();
}

}  // namespace slipway::serving::tfserving
