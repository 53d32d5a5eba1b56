#pragma once
// POST /predict/{model}: records in as JSON, JSON lines or CSV, predictions out in the same form.

#include "net/http_message.h"
#include "serving/predictor.h"

namespace slipway::serving::rest {

/// Thread-safety: Handle() on every io thread at once. Ownership: the predictor outlives it.
class PredictRoute {
 public:
  explicit PredictRoute(Predictor& predictor) : predictor_(predictor) {}
  void Handle(const net::Request& request, net::Response& response) const;

 private:
  Predictor& predictor_;
};

}  // namespace slipway::serving::rest
