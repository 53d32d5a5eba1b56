#include "serving/grpc/tensorflow_methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/cold/await_model.h"
#include "serving/grpc/example_message.h"
#include "serving/grpc/infer_message.h"
#include "serving/grpc/tensor_message.h"
#include "serving/grpc/tensorflow_messages.h"
#include "serving/oip/infer_terms.h"
#include "serving/prediction_call.h"
#include "serving/tensors/tensor_encoder.h"
#include "serving/tfserving/class_outputs.h"
#include "serving/tfserving/signatures.h"
#include "serving/violation_text.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireReader;
using rpc::WireType;
using rpc::WireWriter;
using tfserving::Method;

/// Tells of the last field `number` of a message.
std::string_view FieldOf(std::string_view message, uint32_t number) {
  std::string_view found;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(number, WireType::kBytes)) found = reader.bytes();
  }
  return found;
}

double ScoreAt(const data::ColumnView& column, int64_t element) {
  return column.type == data::ScalarType::kInteger ? static_cast<double>(column.integers()[element])
                                                   : column.numbers()[element];
}

class TensorflowCalls {
 public:
  TensorflowCalls(Predictor& predictor, const live::LiveSet& live, int threads) : predictor_(predictor), live_(live) {
    for (int i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>());
  }

  void Handle(Method method, ServiceCall& call);

 private:
  /// Buffers of one thread.
  struct alignas(64) Thread {
    TensorMessageReader tensors;
    std::vector<oip::RequestedOutput> outputs;
    std::string text;
  };
  class Call;
  /// Writes nothing when rows were rejected.
  static base::Result<void> Answer(Method method, const ModelSpec& spec, const net::Request& request, Thread& thread,
                                   ServedModel& served, std::string& out);
  static base::Result<void> DecodeTensors(std::string_view message, Thread& thread, ServedModel& served);
  static base::Result<void> DecodeExamples(std::string_view message, ServedModel& served);
  static base::Result<void> AppendOutputs(Thread& thread, ServedModel& served, std::string& out);
  static void AppendClasses(Thread& thread, ServedModel& served, std::string& out);
  static void AppendValues(ServedModel& served, std::string& out);

  Predictor& predictor_;
  const live::LiveSet& live_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

class TensorflowCalls::Call final : public PredictionCall {
 public:
  Call(TensorflowCalls& calls, Method method, const ModelSpec& spec, const ServiceCall& call)
      : PredictionCall(calls.predictor_, Door::kTfServingGrpc, call.request, call.response),
        method_(method),
        spec_(spec),
        reference_(spec.Reference(calls.live_)),
        thread_(*calls.threads_[static_cast<size_t>(call.request.thread)]) {}

 private:
  std::string_view Reference() override { return reference_; }
  void WriteError(const base::Error& error) override { ServiceCall(request(), response()).Fail(error); }
  base::Result<bool> Answer(ServedModel& served) override {
    SLIPWAY_TRY(TensorflowCalls::Answer(method_, spec_, request(), thread_, served, response().body));
    if (served.call_rejected() == 0) return true;
    WriteError({base::Code::kInvalidArgument, "schema.violation", ViolationText(served.scores().report), ""});
    return false;
  }

  const Method method_;
  const ModelSpec spec_;
  const std::string reference_;
  Thread& thread_;
};

void TensorflowCalls::Handle(Method method, ServiceCall& call) {
  const auto spec = ReadModelSpec(call.request.body);
  if (!spec) return call.Fail(spec.error());
  Call(*this, method, *spec, call).Serve();
}

base::Result<void> TensorflowCalls::Answer(Method method, const ModelSpec& spec, const net::Request& request,
                                           Thread& thread, ServedModel& served, std::string& out) {
  const auto& fields = served.scorer().output_fields();
  SLIPWAY_TRY(CheckSignature(method, spec.signature));
  if (method == Method::kClassify && !tfserving::FindClasses(fields)) {
    return std::unexpected(tfserving::NoSuchOutput("Classify", tfserving::kClassesWanted, "Predict"));
  }
  if (method == Method::kRegress && !tfserving::FindValue(fields)) {
    return std::unexpected(tfserving::NoSuchOutput("Regress", tfserving::kValueWanted, "Predict"));
  }
  if (method == Method::kPredict) {
    SLIPWAY_TRY(DecodeTensors(request.body, thread, served));
  } else {
    SLIPWAY_TRY(DecodeExamples(request.body, served));
  }
  SLIPWAY_TRY(served.Score(request.deadline));
  if (served.call_rejected() > 0) return {};
  if (method == Method::kPredict) {
    SLIPWAY_TRY(AppendOutputs(thread, served, out));
  } else if (method == Method::kClassify) {
    AppendClasses(thread, served, out);
  } else {
    AppendValues(served, out);
  }
  AppendModelSpec(2, served.model(), spec.signature.empty() ? "serving_default" : spec.signature, out);
  return {};
}

base::Result<void> TensorflowCalls::DecodeTensors(std::string_view message, Thread& thread, ServedModel& served) {
  auto& [contract, decoder] = served.tensors();
  decoder.Begin(served.rows());
  thread.outputs.clear();
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(3, WireType::kBytes)) {
      SLIPWAY_TRY(oip::AskForOutput(contract, reader.bytes(), {.output = -1, .binary = {}}, thread.outputs));
    }
    if (!reader.Is(2, WireType::kBytes)) continue;
    SLIPWAY_ASSIGN(const ModelChoice entry, ReadModelChoice(reader.bytes()));  // a key and a value, in fields 1 and 2
    SLIPWAY_TRY(thread.tensors.Read(entry.name, entry.version, decoder));
  }
  return decoder.End();
}

base::Result<void> TensorflowCalls::DecodeExamples(std::string_view message, ServedModel& served) {
  ExampleMessageReader reader(served.scorer().layout());
  return reader.Read(FieldOf(message, 2), served.scorer().manifest().limits.max_batch_rows, served.rows());
}

/// Columns of single values are tensors [rows], as the metadata says.
base::Result<void> TensorflowCalls::AppendOutputs(Thread& thread, ServedModel& served, std::string& out) {
  const auto& contract = served.tensors().contract;
  const bool columns = !served.scorer().manifest().outputs.empty();
  WireWriter writer(out);
  for (size_t i = 0; i < (thread.outputs.empty() ? contract.outputs.size() : thread.outputs.size()); ++i) {
    const auto& port = contract.outputs[thread.outputs.empty() ? i : static_cast<size_t>(thread.outputs[i].output)];
    const data::Column& column = served.scores().predictions.columns[static_cast<size_t>(port.field)];
    SLIPWAY_ASSIGN(tensors::Shape shape, ShapeOf(port, column));
    if (columns && column.type().is_scalar() && shape.rank == 2) shape.rank = 1;
    const auto entry = writer.Begin(1);
    writer.Text(1, port.name);
    const auto tensor = writer.Begin(2, 64);
    AppendTensor(port.datatype, shape, column, out);
    writer.End(tensor);
    writer.End(entry);
  }
  return {};
}

void TensorflowCalls::AppendClasses(Thread& thread, ServedModel& served, std::string& out) {
  const auto& fields = served.scorer().output_fields();
  const data::Table& predictions = served.scores().predictions;
  const auto outputs = *tfserving::FindClasses(fields);
  const data::ColumnView scores = predictions.columns[outputs.scores].view();
  WireWriter writer(out);
  const auto result = writer.Begin(1);
  for (int64_t row = 0; row < predictions.rows; ++row) {
    const auto classes = writer.Begin(1);
    for (int64_t i = 0; i < scores.width; ++i) {
      thread.text.clear();
      AppendLabel(outputs, fields, predictions, row, i, thread.text);
      const auto one = writer.Begin(1);
      writer.Text(1, thread.text);
      writer.Single(2, scores.IsValid(row) ? static_cast<float>(ScoreAt(scores, row * scores.width + i)) : NAN);
      writer.End(one);
    }
    writer.End(classes);
  }
  writer.End(result);
}

void TensorflowCalls::AppendValues(ServedModel& served, std::string& out) {
  const data::Table& predictions = served.scores().predictions;
  const auto values = predictions.columns[*tfserving::FindValue(served.scorer().output_fields())].view();
  WireWriter writer(out);
  const auto result = writer.Begin(1);
  for (int64_t row = 0; row < predictions.rows; ++row) {
    const auto one = writer.Begin(1);
    writer.Single(1, values.IsValid(row) ? static_cast<float>(ScoreAt(values, row)) : NAN);
    writer.End(one);
  }
  writer.End(result);
}

void Metadata(Predictor& predictor, const live::LiveSet& live, ServiceCall& call) {
  const auto spec = ReadModelSpec(call.request.body);
  if (!spec) return call.Fail(spec.error());
  WireReader reader(call.request.body);
  bool asked = false, other = false;
  while (reader.Next()) {
    if (!reader.Is(2, WireType::kBytes)) continue;
    (reader.bytes() == "signature_def" ? asked : other) = true;
  }
  if (!asked || other) {
    return call.Fail({base::Code::kInvalidArgument, "tfserving.metadata",
                      "metadata_field names what is asked for, and there is only signature_def", ""});
  }
  const auto model = live.Current()->Resolve(spec->Reference(live));
  if (!model) return call.Fail(model.error());
  const auto known = HasContract(predictor, *model, call.request, call.response);
  if (!known) return call.Fail(known.error());
  if (*known) AppendMetadata(**model, call.response.body);
}

void Status(const live::LiveSet& live, ServiceCall& call) {
  const auto spec = ReadModelSpec(call.request.body);
  if (!spec) return call.Fail(spec.error());
  const std::string reference = spec->Reference(live);
  const auto snapshot = live.Current();
  const auto model = snapshot->Resolve(reference);
  if (!model) return call.Fail(model.error());
  AppendStatus(*snapshot, **model, reference.find('@') == std::string::npos, call.response.body);
}

}  // namespace

void AddTensorflowMethods(Predictor& predictor, const live::LiveSet& live, int threads, MethodTable& methods) {
  const auto calls = std::make_shared<TensorflowCalls>(predictor, live, threads);
  constexpr std::pair<std::string_view, Method> kCalls[] = {
      {"Predict", Method::kPredict}, {"Classify", Method::kClassify}, {"Regress", Method::kRegress}};
  const auto door = Door::kTfServingGrpc;
  for (const auto& [name, method] : kCalls) {
    methods.Add(fmt::format("/tensorflow.serving.PredictionService/{}", name), "predict", door,
                [calls, method](ServiceCall& call) { calls->Handle(method, call); });
  }
  methods.Add("/tensorflow.serving.PredictionService/GetModelMetadata", "observe", door,
              [&predictor, &live](ServiceCall& call) { Metadata(predictor, live, call); });
  methods.Add("/tensorflow.serving.ModelService/GetModelStatus", "observe", door,
              [&live](ServiceCall& call) { Status(live, call); });
}

}  // namespace slipway::serving::grpc
