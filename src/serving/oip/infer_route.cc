#include "serving/oip/infer_route.h"

#include <fmt/format.h>

#include "base/text.h"
#include "serving/oip/fault.h"
#include "serving/oip/infer_answer.h"
#include "serving/oip/infer_request.h"
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

void InferRoute::Handle(const net::Request& request, net::Response& response) {
  Thread& thread = *threads_[static_cast<size_t>(request.thread)];
  RequestNote& note = predictor_.note(request.thread);
  ComposeReference(live_, request.Parameter("model"), request.Parameter("version"), thread.reference);
  auto served = predictor_.Acquire(request.thread, thread.reference);
  if (!served) {
    note.code = served.error().reason;
    WriteError(served.error(), response);
    return;
  }
  ServedModel& model = **served;
  response.AddHeaderLines(model.header_lines());
  model.Begin(Door::kOip);
  CachedCall cached(model, request, response);
  if (cached.Recall(note)) return;
  const auto answered = Infer(request, thread, model, response);
  if (!answered) {
    WriteError(answered.error(), response);
    model.Fail(answered.error(), note);
  } else if (model.call_rejected() > 0) {
    WriteError(400, ViolationText(model.scores().report), response);
    model.Reject(note);
  } else {
    cached.Keep();
    model.End(note);
  }
}

/// Leaves the answer to the caller when rows were rejected.
base::Result<void> InferRoute::Infer(const net::Request& request, Thread& thread, ServedModel& served,
                                     net::Response& response) {
  SLIPWAY_ASSIGN(const auto length, JsonLength(request));
  auto& tensors = served.tensors();
  tensors.decoder.Begin(served.rows());
  SLIPWAY_TRY(thread.reader.Read(request.body, length, tensors.contract, tensors.decoder, thread.request));
  const auto timeout = thread.request.timeout;
  SLIPWAY_TRY(served.Score(timeout.count() > 0 ? request.received + timeout : base::SteadyTime::max()));
  if (served.call_rejected() > 0) return {};
  return thread.writer.Write(thread.request, served, response);
}

}  // namespace slipway::serving::oip
