#pragma once
// POST /invocations: a table in as MLflow's scoring protocol has it, in JSON or CSV, and its predictions out.

#include "net/http_message.h"
#include "serving/predictor.h"

namespace slipway::serving::mlflow {

/// Thread-safety: Handle() on every io thread at once. Ownership: the predictor outlives it.
class Invocations {
 public:
  explicit Invocations(Predictor& predictor) : predictor_(predictor) {}
  void Handle(const net::Request& request, net::Response& response) const;

 private:
  Predictor& predictor_;
};

}  // namespace slipway::serving::mlflow
