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

/// No row was answered.
bool IsRejected(bool answered, const ServedModel& served) {
  return !answered || (served.call_rejected() > 0 && served.call_rejected() == served.call_rows());
}

/// Has the route's handler answer on a thread of the pool.
void AnswerOnPool(Predictor& predictor, const net::LateAnswer& answer, const ServedModel::Waited& waited, int thread) {
  net::Request request = answer.request();
  request.thread = thread;
  const auto response = std::make_shared<net::Response>();
  const auto scope = predictor.Take(thread, waited);
  try {
    request.route->handler(request, *response);
  } catch (const std::exception&) {
    answer.Finish(
        [failure = std::current_exception()](const net::Request&, net::Response&) { std::rethrow_exception(failure); });
    return;
  }
  if (waited.place != nullptr) waited.place->Leave();
  const auto note = std::make_shared<RequestNote>(predictor.TakeNote(thread));
  answer.Finish([&predictor, response, note](const net::Request& asked, net::Response& out) {
    out = std::move(*response);
    predictor.note(asked.thread) = std::move(*note);
  });
}

/// When another call's answer has come, or not: the route's handler finds it in the cache, or puts the call off.
void GoOnAfterOther(Predictor& predictor, ServedModel::Waited waited, Flights::Landed landed,
                    const net::Request& request, net::Response& response) {
  const bool done = landed == Flights::Landed::kDone;
  waited.what = done ? ServedModel::WaitedFor::kOtherInVain : ServedModel::WaitedFor::kOther;
  const Workload::Place place = waited.place;
  const auto scope = predictor.Take(request.thread, std::move(waited));
  request.route->handler(request, response);
  if (place != nullptr && !response.later) place->Leave();
}

CachedCall::Before BeforeOf(const ServedModel::Waited* waited) {
  if (waited == nullptr) return CachedCall::Before::kNothing;
  const bool for_thread = waited->what == ServedModel::WaitedFor::kThread;
  return for_thread ? CachedCall::Before::kLooked : CachedCall::Before::kWaited;
}

}  // namespace

int PriorityOf(const net::Request& request) {
  const std::string_view text = request.Header("Priority");
  const size_t at = text.find("u=");
  if (at == std::string_view::npos || at + 2 >= text.size()) return 3;
  const char digit = text[at + 2];
  return digit >= '0' && digit <= '7' ? digit - '0' : 3;
}

void PredictionCall::Serve() {
  RequestNote& note = predictor_.note(request_.thread);
  const auto acquired = predictor_.Acquire(request_.thread, Reference());
  if (!acquired) return ServeUnloaded(acquired.error());
  ServedModel& served = **acquired;
  response_.AddHeaderLines(served.header_lines());
  if (const std::string_view code = Refuse(); !code.empty()) {
    note.code = code;
    return;
  }
  const ServedModel::Waited* waited = predictor_.waited(request_.thread);
  base::SteadyTime since = request_.received - request_.waited;
  if (waited != nullptr && waited->for_load()) since = std::exchange(waited, nullptr)->since;
  if (waited != nullptr && waited->what == ServedModel::WaitedFor::kThread && served.workload() != nullptr) {
    served.workload()->Began(served.clock().Now() - waited->queued, waited->ahead);
  }
  served.Begin(door_, waited);
  base::Result<Workload::Place> place;
  if (waited != nullptr) {
    place = waited->place;
  } else if (served.workload() != nullptr) {
    place = served.workload()->Enter(request_.received);
  }
  if (!place) return Fail(place.error(), served);
  CachedCall cached(served, request_, response_, BeforeOf(waited));
  if (cached.Recall(note)) return;
  if (PutOff(served, cached, waited, since, *std::move(place))) return;
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
  } else if (const auto reason = FallbackReasonOf(answered.error());
             !reason || (*reason == bundle::FallbackReason::kTimeout && !served.HadItsTime())) {
    breaker.Withdraw();
  } else {
    breaker.Fail(now);
  }
  return answered;
}

void PredictionCall::Fail(const base::Error& error, ServedModel& served) {
  if (error.code == base::Code::kResourceExhausted && served.workload() != nullptr) {
    response_.AddHeader("Retry-After", std::to_string(served.workload()->RetryAfterSeconds(error)));
  }
  WriteError(error);
  served.Fail(error, predictor_.note(request_.thread));
}

/// True when the call is refused, or goes on elsewhere.
bool PredictionCall::PutOff(ServedModel& served, const CachedCall& cached, const ServedModel::Waited* before,
                            base::SteadyTime since, Workload::Place place) {
  using For = ServedModel::WaitedFor;
  Workload* const workload = served.workload();
  if (workload == nullptr || (before != nullptr && before->what == For::kThread)) return false;
  const bool others = workload->breaker().failed_lately() && HeavyOther(served.model()) != nullptr;
  if (!others && !predictor_.BelongsOnPool(*workload, std::ssize(request_.body))) {
    if (request_.waited.count() == 0) return false;
    const auto admitted = workload->AdmitHere(served.clock().Now(), served.LatestOf(since));
    response_.in_vain = !admitted;
    if (!admitted) Fail(admitted.error(), served);
    return !admitted;
  }
  ServedModel::Waited waited = {
      .since = since, .abandoned = {}, .priority = PriorityOf(request_), .place = std::move(place)};
  Flights::Boarding boarding;
  if (const CacheKey* key = cached.shared_key(); key != nullptr && (before == nullptr || before->what == For::kOther)) {
    boarding = predictor_.flights().Board(*key, waited.priority);
  }
  if (boarding.flight != nullptr && boarding.lead == nullptr) {
    WaitForOther(std::move(boarding.flight), std::move(waited));
  } else if (const auto admitted = workload->Admit(served.clock().Now(), served.LatestOf(since)); admitted) {
    waited.queued = served.clock().Now();
    waited.ahead = workload->Queued();
    WaitForThread(static_cast<uint64_t>(served.model().index), std::move(waited), std::move(boarding.lead));
  } else {
    Fail(admitted.error(), served);
    return true;
  }
  served.Withdraw();
  return true;
}

void PredictionCall::WaitForOther(std::shared_ptr<Flights::Flight> flight, ServedModel::Waited waited) {
  response_.later = [&predictor = predictor_, flight = std::move(flight),
                     waited = std::move(waited)](const net::LateAnswer& answer) {
    ServedModel::Waited mine = waited;
    mine.abandoned = answer.abandoned();
    predictor.flights().Wait(flight, answer,
                             [&predictor, mine = std::move(mine)](Flights::Landed landed, const net::Request& request,
                                                                  net::Response& response) {
                               GoOnAfterOther(predictor, mine, landed, request, response);
                             });
  };
}

void PredictionCall::WaitForThread(uint64_t queue, ServedModel::Waited waited, std::shared_ptr<Flights::Lead> lead) {
  response_.later = [&predictor = predictor_, queue, waited = std::move(waited),
                     lead = std::move(lead)](const net::LateAnswer& answer) {
    ServedModel::Waited mine = waited;
    mine.abandoned = answer.abandoned();
    const int priority = mine.priority;
    const auto job = [&predictor, answer, mine = std::move(mine), lead](int thread) {
      const bool waits = !answer.abandoned().stop_requested();
      if (waits) AnswerOnPool(predictor, answer, mine, thread);
      if (lead == nullptr) return;
      const bool given_up = !waits || answer.abandoned().stop_requested();
      lead->Land(given_up ? Flights::Landed::kGivenUp : Flights::Landed::kDone);
    };
    if (predictor.pool()->Submit(queue, priority, job)) return;
    if (lead != nullptr) lead->Land(Flights::Landed::kDone);
    answer.Finish([](const net::Request& asked, net::Response& out) {
      out.status = kPoolFull.status;
      out.AddHeader("Retry-After", "1");
      if (asked.route->fault_shape) asked.route->fault_shape(kPoolFull, asked, out);
    });
  };
}

}  // namespace slipway::serving
