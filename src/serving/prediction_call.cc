#include "serving/prediction_call.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "net/late_answer.h"
#include "net/route_table.h"
#include "serving/fallback/fallback_reason.h"

namespace slipway::serving {
namespace {

constexpr net::HttpFault kPoolFull = {
    503, "overload.full", "this server can take no more calls of this model now; retry, or ask another one"};

/// Of RFC 9218's `Priority: u=N`, 0 to 7, where 3 means nothing in particular.
int PriorityOf(const net::Request& request) {
  const std::string_view text = request.Header("Priority");
  const size_t at = text.find("u=");
  if (at == std::string_view::npos || at + 2 >= text.size()) return 3;
  const char digit = text[at + 2];
  return digit >= '0' && digit <= '7' ? digit - '0' : 3;
}

/// No row was answered.
bool IsRejected(bool answered, const ServedModel& served) {
  return !answered || (served.call_rejected() > 0 && served.call_rejected() == served.call_rows());
}

/// Has the route's handler answer on a thread of the pool.
void AnswerOnPool(Predictor& predictor, const net::LateAnswer& answer, const Workload::Place& place,
                  ServedModel::Waited waited, int thread) {
  if (answer.abandoned().stop_requested()) return;  // before any work: nobody waits
  net::Request request = answer.request();
  request.thread = thread;
  const auto response = std::make_shared<net::Response>();
  const auto scope = predictor.Take(thread, std::move(waited));
  try {
    request.route->handler(request, *response);
  } catch (const std::exception&) {
    answer.Finish(
        [failure = std::current_exception()](const net::Request&, net::Response&) { std::rethrow_exception(failure); });
    return;
  }
  if (place != nullptr) place->Leave();
  const auto note = std::make_shared<RequestNote>(predictor.TakeNote(thread));
  answer.Finish([&predictor, response, note](const net::Request& asked, net::Response& out) {
    out = std::move(*response);
    predictor.note(asked.thread) = std::move(*note);
  });
}

}  // namespace

void PredictionCall::Serve() {
  RequestNote& note = predictor_.note(request_.thread);
  const auto acquired = predictor_.Acquire(request_.thread, Reference());
  if (!acquired) {
    note.code = acquired.error().reason;
    WriteError(acquired.error());
    return;
  }
  ServedModel& served = **acquired;
  response_.AddHeaderLines(served.header_lines());
  if (const std::string_view code = Refuse(); !code.empty()) {
    note.code = code;
    return;
  }
  const ServedModel::Waited* const waited = predictor_.waited(request_.thread);
  served.Begin(door_, waited);
  base::Result<Workload::Place> place;
  if (waited == nullptr && served.workload() != nullptr) place = served.workload()->Enter(request_.received);
  if (!place) return Fail(place.error(), served);
  CachedCall cached(served, request_, response_, /*looked_before=*/waited != nullptr);
  if (cached.Recall(note)) return;
  if (waited == nullptr && PutOff(served, *place)) return;
  const auto answered = Try(served);
  if (!answered) {
    if (!FallBack(answered.error(), served)) Fail(answered.error(), served);
  } else if (IsRejected(*answered, served) && FallBackFromRejection(served)) {
    // answered
  } else if (!*answered) {
    served.Reject(note);
  } else {
    cached.Keep();
    served.End(note);
  }
}

/// Asks the model, unless it has failed too often.
base::Result<bool> PredictionCall::Try(ServedModel& served) {
  Workload* const workload = served.workload();
  if (workload == nullptr || served.scorer().manifest().fallback.empty()) return Answer(served);
  CircuitBreaker& breaker = workload->breaker();
  if (!breaker.Allow(served.clock().Now())) {
    return base::Fail(base::Code::kUnavailable, "breaker.open",
                      "the model failed repeatedly and is left alone for a while; GET /models/{model} tells its state");
  }
  auto answered = Answer(served);
  const base::SteadyTime now = served.clock().Now();
  if (answered) {
    breaker.Succeed(now);
  } else if (FallbackReason(answered.error()).empty()) {
    breaker.Withdraw();
  } else {
    breaker.Fail(now);
  }
  return answered;
}

void PredictionCall::Fail(const base::Error& error, ServedModel& served) {
  if (error.code == base::Code::kResourceExhausted && served.workload() != nullptr) {
    response_.AddHeader("Retry-After", std::to_string(served.workload()->RetryAfterSeconds()));
  }
  WriteError(error);
  served.Fail(error, predictor_.note(request_.thread));
}

/// True when the call is refused, or goes on elsewhere.
bool PredictionCall::PutOff(ServedModel& served, Workload::Place place) {
  Workload* const workload = served.workload();
  if (workload == nullptr || !predictor_.BelongsOnPool(*workload, std::ssize(request_.body))) return false;
  const auto latest = served.LatestOf(request_.received);
  if (const auto admitted = workload->Admit(served.clock().Now(), latest); !admitted) {
    Fail(admitted.error(), served);
    return true;
  }
  served.Withdraw();
  const auto queue = static_cast<uint64_t>(served.model().index);
  response_.later = [&predictor = predictor_, queue, place = std::move(place),
                     priority = PriorityOf(request_)](net::LateAnswer answer) {
    ServedModel::Waited waited = {
        .since = answer.request().received, .abandoned = answer.abandoned(), .priority = priority};
    const bool taken = predictor.pool()->Submit(queue, priority, [&predictor, answer, place, waited](int thread) {
      AnswerOnPool(predictor, answer, place, waited, thread);
    });
    if (taken) return;
    answer.Finish([](const net::Request& asked, net::Response& out) {
      out.status = kPoolFull.status;
      if (asked.route->fault_shape) asked.route->fault_shape(kPoolFull, asked, out);
    });
  };
  return true;
}

}  // namespace slipway::serving
