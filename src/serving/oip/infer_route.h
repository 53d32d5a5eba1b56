#pragma once
// POST /v2/models/{model}[/versions/{version}]/infer

#include <memory>
#include <vector>

#include "live/live_set.h"
#include "net/http_message.h"
#include "serving/predictor.h"

namespace slipway::serving::oip {

/// Thread-safety: Handle() on every io thread at once. Ownership: predictor and live set outlive it.
class InferRoute {
 public:
  InferRoute(Predictor& predictor, const live::LiveSet& live, int threads);
  ~InferRoute();
  void Handle(const net::Request& request, net::Response& response);

 private:
  struct Thread;
  class Call;

  Predictor& predictor_;
  const live::LiveSet& live_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace slipway::serving::oip
