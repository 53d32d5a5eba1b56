#pragma once
// ModelInfer and ModelStreamInfer.

#include <memory>
#include <string>
#include <vector>

#include "live/live_set.h"
#include "serving/grpc/service_call.h"
#include "serving/predictor.h"

namespace slipway::serving::grpc {

/// Thread-safety: its methods on every thread at once. Ownership: predictor and live set outlive it.
class InferCall {
 public:
  /// `threads`: all that serve in this process.
  InferCall(Predictor& predictor, const live::LiveSet& live, int threads);
  ~InferCall();

  void Infer(ServiceCall& call);
  /// The same for a message of a stream, which tells of errors in its answers and goes on.
  void StreamInfer(ServiceCall& call);

 private:
  struct Thread;
  class Call;
  void Handle(ServiceCall& call, bool streamed);

  Predictor& predictor_;
  const live::LiveSet& live_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace slipway::serving::grpc
