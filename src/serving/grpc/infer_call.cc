#include "serving/grpc/infer_call.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/grpc/infer_message.h"
#include "serving/oip/output_tensor.h"
#include "serving/prediction_call.h"
#include "serving/tensors/tensor_encoder.h"
#include "serving/version_reference.h"
#include "serving/violation_text.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireWriter;

constexpr uint32_t kInferResponse = 2;  ///< in ModelStreamInferResponse

void AppendHead(const oip::OutputTensor& shown, WireWriter& writer) {
  const auto part = writer.Begin(5);
  writer.Text(1, shown.port->name);
  writer.Text(2, DatatypeName(shown.datatype));
  const auto shape = writer.Begin(3);
  for (const int64_t dimension : shown.shape.span()) writer.Number(static_cast<uint64_t>(dimension));
  writer.End(shape);
  writer.End(part);
}

/// A map entry with a boolean or an integer.
void AppendParameter(std::string_view name, uint32_t kind, uint64_t value, WireWriter& writer) {
  const auto entry = writer.Begin(4);
  writer.Text(1, name);
  const auto parameter = writer.Begin(2);
  writer.Varint(kind, value);
  writer.End(parameter);
  writer.End(entry);
}

/// One with a text.
void AppendParameter(std::string_view name, std::string_view text, WireWriter& writer) {
  const auto entry = writer.Begin(4);
  writer.Text(1, name);
  const auto parameter = writer.Begin(2);
  writer.Text(3, text);
  writer.End(parameter);
  writer.End(entry);
}

/// "" when it has none that could be told. Of a request that was not read any further, too.
std::string_view RequestId(std::string_view message) {
  std::string_view id;
  rpc::WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(3, rpc::WireType::kBytes)) id = reader.bytes();
  }
  return base::IsValidUtf8(id) ? id : std::string_view();
}

size_t ExpectedBytes(const oip::OutputTensor& shown) {
  int64_t elements = 1;
  for (const int64_t dimension : shown.shape.span()) elements *= dimension;
  return static_cast<size_t>(elements * tensors::DatatypeSize(shown.datatype));
}

}  // namespace

/// Buffers of one thread.
struct alignas(64) InferCall::Thread {
  InferMessageReader reader;
  oip::InferRequest request;
  std::string reference;
  std::vector<data::Column> classes;  ///< by output: shown twice, with its head and with its bytes

  base::Result<void> Write(ServedModel& served, std::string& out);
};

/// Heads of all outputs, then the bytes of all: clients look for a tensor's bytes by its place among the heads, and
/// read no other form.
base::Result<void> InferCall::Thread::Write(ServedModel& served, std::string& out) {
  WireWriter writer(out);
  writer.Text(1, served.model().name);
  writer.Text(2, served.model().version_text);
  if (!request.id.empty()) writer.Text(3, request.id);
  if (const auto& warnings = served.scores().report.warnings; !warnings.empty()) {
    AppendParameter("warnings", 2, warnings.size(), writer);
  }
  if (const auto* fallback = served.fallback(); fallback != nullptr) {
    AppendParameter("fallback_reason", bundle::FallbackReasonName(fallback->reason), writer);
    AppendParameter("fallback_from", fallback->from, writer);
  }
  if (reader.wants_final()) AppendParameter("triton_final_response", 1, 1, writer);
  const size_t count = OutputsAsked(request, served.tensors().contract);
  classes.resize(std::max(classes.size(), count));
  std::vector<oip::OutputTensor> shown;
  shown.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    SLIPWAY_ASSIGN(auto tensor, ShowOutput(OutputAsked(request, i), served, classes[i]));
    AppendHead(tensor, writer);
    shown.push_back(tensor);
  }
  for (const auto& tensor : shown) {
    const auto part = writer.Begin(6, ExpectedBytes(tensor));
    AppendRaw(tensor.datatype, *tensor.column, out);
    writer.End(part);
  }
  return {};
}

InferCall::InferCall(Predictor& predictor, const live::LiveSet& live, int threads)
    : predictor_(predictor), live_(live) {
  for (int i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>());
}
InferCall::~InferCall() = default;

class InferCall::Call final : public PredictionCall {
 public:
  Call(InferCall& infer, Thread& thread, const ServiceCall& call, const ModelChoice& choice, bool streamed)
      : PredictionCall(infer.predictor_, Door::kGrpc, call.request, call.response),
        live_(infer.live_),
        thread_(thread),
        choice_(choice),
        streamed_(streamed) {}

 private:
  std::string_view Reference() override {
    ComposeReference(live_, choice_.name, choice_.version, thread_.reference);
    return thread_.reference;
  }
  void WriteError(const base::Error& error) override { ServiceCall(request(), response()).Fail(error); }

  base::Result<bool> Answer(ServedModel& served) override {
    auto& tensors = served.tensors();
    tensors.decoder.Begin(served.rows());
    SLIPWAY_TRY(thread_.reader.Read(request().body, tensors.contract, tensors.decoder, thread_.request));
    if (thread_.request.priority > 0) served.SetPriority(thread_.request.priority);
    base::SteadyTime latest = request().deadline;
    const auto timeout = thread_.request.timeout;
    if (timeout.count() > 0) latest = std::min(latest, request().received + timeout);
    SLIPWAY_TRY(served.Score(latest));
    if (served.call_rejected() > 0) {
      WriteError({base::Code::kInvalidArgument, "schema.violation", ViolationText(served.scores().report), ""});
      return false;
    }
    std::string& out = response().body;
    WireWriter writer(out);
    if (streamed_) {
      const auto part = writer.Begin(kInferResponse, 1 << 10);
      SLIPWAY_TRY(thread_.Write(served, out));
      writer.End(part);
    } else {
      SLIPWAY_TRY(thread_.Write(served, out));
    }
    return true;
  }

  const live::LiveSet& live_;
  Thread& thread_;
  const ModelChoice choice_;
  const bool streamed_;
};

void InferCall::Handle(ServiceCall& call, bool streamed) {
  Thread& thread = *threads_[static_cast<size_t>(call.request.thread)];
  const auto choice = ReadModelChoice(call.request.body);
  if (!choice) return call.Fail(choice.error());
  Call(*this, thread, call, *choice, streamed).Serve();
}

void InferCall::Infer(ServiceCall& call) {
  Handle(call, false);
}

void InferCall::StreamInfer(ServiceCall& call) {
  Handle(call, true);
  const Failure failure = FailureOf(call.response);
  if (call.response.later || failure.status == rpc::Status::kOk) return;
  std::string& out = call.response.body;
  out.clear();
  WireWriter writer(out);
  writer.Text(1, failure.error);
  const auto part = writer.Begin(kInferResponse);
  if (const std::string_view id = RequestId(call.request.body); !id.empty()) writer.Text(3, id);
  writer.End(part);
}

}  // namespace slipway::serving::grpc
