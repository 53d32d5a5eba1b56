#include "serving/oip/infer_answer.h"

#include <charconv>

#include "base/value.h"
#include "serving/oip/output_tensor.h"
#include "serving/tensors/tensor_encoder.h"

namespace slipway::serving::oip {
namespace {

using tensors::Datatype;

void AppendInteger(int64_t value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void AppendHead(const tensors::Port& port, Datatype datatype, const tensors::Shape& shape, std::string& out) {
  out += "{\"name\":";
  base::AppendJsonString(out, port.name);
  out += ",\"datatype\":\"";
  out += DatatypeName(datatype);
  out += "\",\"shape\":[";
  for (size_t i = 0; i < shape.rank; ++i) {
    if (i != 0) out += ',';
    AppendInteger(shape[i], out);
  }
  out += ']';
}

}  // namespace

base::Result<void> InferAnswerWriter::Write(const InferRequest& request, ServedModel& served, net::Response& response) {
  binary_.clear();
  std::string& out = response.body;
  out = "{\"model_name\":";
  base::AppendJsonString(out, served.model().name);
  out += ",\"model_version\":";
  base::AppendJsonString(out, served.model().version_text);
  if (request.has_id) {
    out += ",\"id\":";
    base::AppendJsonString(out, request.id);
  }
  if (const auto& warnings = served.scores().report.warnings; !warnings.empty() || served.fallback() != nullptr) {
    out += ",\"parameters\":{\"warnings\":";
    AppendInteger(std::ssize(warnings), out);
    served.AppendFallback(out);
    out += '}';
  }
  out += ",\"outputs\":[";
  const size_t count = OutputsAsked(request, served.tensors().contract);
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    SLIPWAY_TRY(AppendOutput(request, OutputAsked(request, i), served, out));
  }
  out += "]}";
  if (binary_.empty()) return {};
  char length[24];
  response.AddHeader(kJsonLength, {length, std::to_chars(length, length + sizeof length, out.size()).ptr});
  response.content_type = "application/octet-stream";
  out += binary_;
  return {};
}

base::Result<void> InferAnswerWriter::AppendOutput(const InferRequest& request, const RequestedOutput& output,
                                                   ServedModel& served, std::string& out) {
  SLIPWAY_ASSIGN(const OutputTensor shown, ShowOutput(output, served, classes_));
  AppendHead(*shown.port, shown.datatype, shown.shape, out);
  if (output.binary.value_or(request.binary_output)) {
    const size_t before = binary_.size();
    AppendRaw(shown.datatype, *shown.column, binary_);
    out += ",\"parameters\":{\"binary_data_size\":";
    AppendInteger(static_cast<int64_t>(binary_.size() - before), out);
    out += "}}";
  } else {
    out += ",\"data\":";
    AppendJson(shown.datatype, *shown.column, request.non_finite, out);
    out += '}';
  }
  return {};
}

}  // namespace slipway::serving::oip
