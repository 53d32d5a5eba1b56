#include "serving/oip/infer_route.h"

#include <fmt/format.h>

#include "base/text.h"
#include "serving/oip/fault.h"
#include "serving/oip/infer_answer.h"
#include "serving/oip/infer_request.h"
#include "serving/prediction_call.h"
#include "serving/version_reference.h"
#include "serving/violation_text.h"

namespace slipway::serving::oip {

/// Buffers of one io thread.
struct alignas(64) InferRoute::Thread {
  explicit Thread(const data::JsonBounds& bounds) : reader(bounds) {}
  InferRequestReader reader;
  InferRequest request;
  InferAnswerWriter writer;
  std::string reference;
};

InferRoute::InferRoute(Predictor& predictor, const live::LiveSet& live, int threads)
    : predictor_(predictor), live_(live) {
  for (int i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>(predictor.limits().json));
}
InferRoute::~InferRoute() = default;

namespace {

/// The header decides how a body is read, never its media type: clients send binary data under any.
base::Result<std::optional<int64_t>> JsonLength(const net::Request& request) {
  const std::string_view text = request.Header(kJsonLength);
  if (text.empty()) return std::optional<int64_t>();
  const auto length = base::ParseInt64(text);
  if (length && *length >= 0 && text[0] != '+') return length;
  return base::Fail(base::Code::kInvalidArgument, "oip.binary",
                    fmt::format("{} is the number of bytes of JSON that the body begins with, not \"{}\"", kJsonLength,
                                base::Shorten(text)));
}

}  // namespace

class InferRoute::Call final : public PredictionCall {
 public:
  Call(InferRoute& route, Thread& thread, const net::Request& request, net::Response& response)
      : PredictionCall(route.predictor_, Door::kOip, request, response), live_(route.live_), thread_(thread) {}

 private:
  std::string_view Reference() override {
    ComposeReference(live_, request().Parameter("model"), request().Parameter("version"), thread_.reference);
    return thread_.reference;
  }
  void WriteError(const base::Error& error) override { oip::WriteError(error, response()); }

  base::Result<bool> Answer(ServedModel& served) override {
    SLIPWAY_ASSIGN(const auto length, JsonLength(request()));
    auto& tensors = served.tensors();
    tensors.decoder.Begin(served.rows());
    SLIPWAY_TRY(thread_.reader.Read(request().body, length, tensors.contract, tensors.decoder, thread_.request));
    if (thread_.request.priority > 0) served.SetPriority(thread_.request.priority);
    const auto timeout = thread_.request.timeout;
    SLIPWAY_TRY(served.Score(timeout.count() > 0 ? request().received + timeout : base::SteadyTime::max()));
    if (served.call_rejected() > 0) {
      oip::WriteError(400, ViolationText(served.scores().report), response());
      return false;
    }
    SLIPWAY_TRY(thread_.writer.Write(thread_.request, served, response()));
    return true;
  }

  const live::LiveSet& live_;
  Thread& thread_;
};

void InferRoute::Handle(const net::Request& request, net::Response& response) {
  Call(*this, *threads_[static_cast<size_t>(request.thread)], request, response).Serve();
}

}  // namespace slipway::serving::oip
