// What answers a call when the version that was asked for cannot: the steps of its manifest's fallback, in order.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "serving/fallback/fallback_reason.h"
#include "serving/prediction_call.h"

namespace slipway::serving {
namespace {

using Kind = bundle::FallbackStep::Kind;
using bundle::FallbackReason;

}  // namespace

/// True when the call is answered and counted, by another or, when none could, with the error.
bool PredictionCall::FallBack(const base::Error& error, ServedModel& failed) {
  const auto reason = FallbackReasonOf(error);
  if (!reason || !MayFallBack(*reason, failed.model())) return false;
  RequestNote& note = predictor_.note(request_.thread);
  failed.Fail(error, note);
  if (TryOthers(*reason, failed.model(), &failed)) return true;
  response_.Clear();
  response_.AddHeaderLines(failed.header_lines());
  WriteError(error);
  note.code = error.reason;
  return true;
}

/// True when the call is answered and counted, by another or as it was.
bool PredictionCall::FallBackFromRejection(ServedModel& failed) {
  constexpr auto kReason = FallbackReason::kRejected;
  if (!MayFallBack(kReason, failed.model())) return false;
  failed.Reject(predictor_.note(request_.thread));
  net::Response refusal = response_;
  if (!TryOthers(kReason, failed.model(), &failed)) response_ = std::move(refusal);
  return true;
}

/// True when the call is answered and counted, by another. What failed has a scorer for its constants, if anything can
/// give them; what is cold has none.
bool PredictionCall::FallBackFromUnloaded(const std::shared_ptr<const live::LoadedModel>& asked) {
  constexpr auto kReason = FallbackReason::kLoad;
  if (!MayFallBack(kReason, *asked)) return false;
  if (asked->failure && GoWhereOthersRun(*asked)) return true;
  std::shared_ptr<ServedModel> own;
  if (asked->scorer != nullptr) {
    if (auto served = predictor_.AcquireModel(request_.thread, asked)) own = *std::move(served);
  }
  if (TryOthers(kReason, *asked, own.get())) return true;
  response_.Clear();
  return false;
}

/// True when who may answer in its place is too heavy for this thread: the call comes again on one of the pool's.
bool PredictionCall::GoWhereOthersRun(const live::LoadedModel& failed) {
  if (predictor_.waited(request_.thread) != nullptr) return false;
  const auto other = HeavyOther(failed);
  if (other == nullptr) return false;
  const auto now = predictor_.clock().Now();
  WaitForThread(static_cast<uint64_t>(other->index),
                {.since = now, .abandoned = {}, .priority = PriorityOf(request_), .place = nullptr, .queued = now},
                nullptr);
  return true;
}

/// The first who may answer in its place and belongs on a thread of the pool; nullptr: none does.
std::shared_ptr<const live::LoadedModel> PredictionCall::HeavyOther(const live::LoadedModel& failed) const {
  if (predictor_.pool() == nullptr) return nullptr;
  for (const auto& step : failed.contract->manifest.fallback) {
    auto model = OtherOf(step, failed);
    if (model != nullptr && predictor_.BelongsOnPool(*predictor_.WorkloadOf(*model), std::ssize(request_.body))) {
      return model;
    }
  }
  return nullptr;
}

/// The model that the step names, if it is another one and loaded; else nullptr.
std::shared_ptr<const live::LoadedModel> PredictionCall::OtherOf(const bundle::FallbackStep& step,
                                                                 const live::LoadedModel& failed) const {
  std::shared_ptr<const live::LoadedModel> model;
  if (step.kind == Kind::kPrevious) {
    model = predictor_.live().PreviousOf(failed);
  } else if (step.kind == Kind::kModel) {
    if (auto found = predictor_.live().Current()->Resolve(step.model)) model = *std::move(found);
  }
  return model == nullptr || model->cold() || model->index == failed.index ? nullptr : model;
}

bool PredictionCall::MayFallBack(FallbackReason reason, const live::LoadedModel& failed) {
  return std::ranges::any_of(failed.contract->manifest.fallback,
                             [&](const bundle::FallbackStep& step) { return step.on.Has(reason); });
}

/// `own`: the failed version as far as it can still answer, for its constants and what it has answered before; nullptr:
/// those steps are passed over.
bool PredictionCall::TryOthers(FallbackReason reason, const live::LoadedModel& failed, ServedModel* own) {
  const auto& steps = failed.contract->manifest.fallback;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].on.Has(reason) && AnswerInstead(steps[i], i, reason, failed, own)) return true;
  }
  return false;
}

bool PredictionCall::AnswerInstead(const bundle::FallbackStep& step, size_t index, FallbackReason reason,
                                   const live::LoadedModel& failed, ServedModel* own) {
  if (step.kind == Kind::kCached) return AnswerAsBefore(step, reason, failed, own);
  ServedModel::Fallback fallback{.reason = reason, .from = failed.reference(), .constant = {}};
  if (step.kind == Kind::kConstant) {
    fallback.constant = index;
    return own != nullptr && AnswerWith(*own, std::move(fallback), failed);
  }
  auto model = OtherOf(step, failed);
  if (model == nullptr) return false;
  const auto served = predictor_.AcquireModel(request_.thread, std::move(model));
  return served && AnswerWith(**served, std::move(fallback), failed);
}

/// What the request was answered last, by the version that failed or by the one before it.
bool PredictionCall::AnswerAsBefore(const bundle::FallbackStep& step, FallbackReason reason,
                                    const live::LoadedModel& failed, ServedModel* own) {
  const ServedModel::Fallback fallback{.reason = reason, .from = failed.reference(), .constant = {}};
  if (own != nullptr && AnswerAsBefore(step, fallback, *own, failed)) return true;
  auto previous = predictor_.live().PreviousOf(failed);
  if (previous == nullptr) return false;
  const auto served = predictor_.AcquireModel(request_.thread, std::move(previous));
  return served && AnswerAsBefore(step, fallback, **served, failed);
}

bool PredictionCall::AnswerAsBefore(const bundle::FallbackStep& step, ServedModel::Fallback fallback,
                                    ServedModel& served, const live::LoadedModel& failed) {
  response_.Clear();
  response_.AddHeaderLines(served.header_lines());
  CachedCall cached(served, request_, response_, CachedCall::Before::kLooked);
  const auto old = cached.RecallOld(step.age);
  if (!old) return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(old->age).count();
  const std::string_view reason = bundle::FallbackReasonName(fallback.reason);
  response_.AddHeader("Slipway-Fallback", fmt::format("reason={}; from={}", reason, fallback.from));
  response_.AddHeader("Age", std::to_string(seconds));
  predictor_.metrics().fallbacks.With({failed.name, failed.version_text, reason, "cached"}).Add();
  RequestNote& note = predictor_.note(request_.thread);
  note.code.clear();
  served.Begin(door_);
  served.AnswerFor(std::move(fallback));
  if (door_ == Door::kNative && response_.content_type == "application/json" && response_.body.ends_with('}')) {
    std::string& body = response_.body;
    body.pop_back();
    served.AppendFallback(body);
    body += '}';
  }
  served.CountRecalled(old->rows);
  served.End(note);
  return true;
}

bool PredictionCall::AnswerWith(ServedModel& served, ServedModel::Fallback fallback, const live::LoadedModel& failed) {
  RequestNote& note = predictor_.note(request_.thread);
  const bool by_constant = fallback.constant.has_value();
  const std::string answer = by_constant ? "constant" : served.model().reference();
  const std::string_view reason = bundle::FallbackReasonName(fallback.reason);
  response_.Clear();
  response_.AddHeaderLines(served.header_lines());
  response_.AddHeader("Slipway-Fallback", fmt::format("reason={}; from={}", reason, fallback.from));
  // The time that the failed one took is not taken off that of the other.
  std::optional<ServedModel::Waited> waited;
  if (const auto* before = predictor_.waited(request_.thread)) {
    waited = {.since = served.clock().Now(), .abandoned = before->abandoned, .priority = before->priority};
  }
  const auto count = predictor_.metrics().fallbacks.With({failed.name, failed.version_text, reason, answer});
  served.Begin(door_, waited ? &*waited : nullptr);
  served.AnswerFor(std::move(fallback));
  const auto answered = Answer(served);
  if (!answered) {
    served.Fail(answered.error(), note);
    return false;
  }
  note.code.clear();
  if (*answered) {
    served.End(note);
  } else {
    served.Reject(note);  // its schema is not the other's, or the constant's rows were wrong
    if (!by_constant) return false;
  }
  count.Add();
  return true;
}

}  // namespace slipway::serving
