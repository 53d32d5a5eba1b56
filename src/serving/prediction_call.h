#pragma once
// PredictionCall: one request for predictions over HTTP, from the model that it names to its answer. What is alike for
// all protocols stands here; a protocol adds what it reads and writes.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "net/http_message.h"
#include "serving/predictor.h"

namespace slipway::serving {

/// Of RFC 9218's `Priority: u=N`, 0 to 7, where 3 means nothing in particular.
int PriorityOf(const net::Request& request);

/// Lives as long as its handler runs. Thread-safety: one thread. Ownership: all outlive it.
class PredictionCall {
 public:
  PredictionCall(Predictor& predictor, Door door, const net::Request& request, net::Response& response)
      : predictor_(predictor), door_(door), request_(request), response_(response) {}
  virtual ~PredictionCall() = default;
  PredictionCall(const PredictionCall&) = delete;
  PredictionCall& operator=(const PredictionCall&) = delete;

  /// Answers the request, or has it answered later: by its route's handler, on a thread of the pool.
  void Serve();

 protected:
  /// "name[@selector]"; empty: the only one there is.
  virtual std::string_view Reference() = 0;
  /// Looks at what can be told before the body is read. The code of the refusal that it has written, or "".
  virtual std::string_view Refuse() { return {}; }
  /// Decodes, scores, and writes the answer. False: what it has written says that no row was answered. Errors: none is
  /// written yet.
  virtual base::Result<bool> Answer(ServedModel& served) = 0;
  virtual void WriteError(const base::Error& error) = 0;

  const net::Request& request() const { return request_; }
  net::Response& response() const { return response_; }

 private:
  bool PutOff(ServedModel& served, const CachedCall& cached, const ServedModel::Waited* before, base::SteadyTime since,
              Workload::Place place);
  void WaitForOther(std::shared_ptr<Flights::Flight> flight, ServedModel::Waited waited);
  void WaitForThread(uint64_t queue, ServedModel::Waited waited, std::shared_ptr<Flights::Lead> lead);
  base::Result<bool> Try(ServedModel& served);
  void Fail(const base::Error& error, ServedModel& served);
  // When its version is not loaded (cold/cold_call.cc).
  void ServeUnloaded(base::Error error);
  void RefuseUnloaded(const base::Error& error, const live::LoadedModel* model);
  // When it could not be answered (fallback_call.cc).
  bool FallBack(const base::Error& error, ServedModel& failed);
  bool FallBackFromRejection(ServedModel& failed);
  bool FallBackFromUnloaded(const std::shared_ptr<const live::LoadedModel>& asked);
  bool GoWhereOthersRun(const live::LoadedModel& failed);
  std::shared_ptr<const live::LoadedModel> HeavyOther(const live::LoadedModel& failed) const;
  std::shared_ptr<const live::LoadedModel> OtherOf(const bundle::FallbackStep& step,
                                                   const live::LoadedModel& failed) const;
  static bool MayFallBack(bundle::FallbackReason reason, const live::LoadedModel& failed);
  bool TryOthers(bundle::FallbackReason reason, const live::LoadedModel& failed, ServedModel* own);
  bool AnswerInstead(const bundle::FallbackStep& step, size_t index, bundle::FallbackReason reason,
                     const live::LoadedModel& failed, ServedModel* own);
  bool AnswerAsBefore(const bundle::FallbackStep& step, bundle::FallbackReason reason, const live::LoadedModel& failed,
                      ServedModel* own);
  bool AnswerAsBefore(const bundle::FallbackStep& step, ServedModel::Fallback fallback, ServedModel& served,
                      const live::LoadedModel& failed);
  bool AnswerWith(ServedModel& served, ServedModel::Fallback fallback, const live::LoadedModel& failed);

  Predictor& predictor_;
  const Door door_;
  const net::Request& request_;
  net::Response& response_;
};

}  // namespace slipway::serving
