#pragma once
// :predict, :classify and :regress: rows in as TensorFlow Serving's JSON has them, predictions out the same way.

#include <string_view>

#include "live/live_set.h"
#include "net/http_message.h"
#include "serving/predictor.h"
#include "serving/tfserving/signatures.h"

namespace slipway::serving::tfserving {

/// The name that a path means: {model}, and {version} or {label} where it has one.
std::string ReferenceOf(const live::LiveSet& live, const net::Request& request);

/// Thread-safety: Handle() on every io thread at once. Ownership: all outlive it.
class PredictCalls {
 public:
  PredictCalls(Predictor& predictor, const live::LiveSet& live) : predictor_(predictor), live_(live) {}
  void Handle(Method method, const net::Request& request, net::Response& response) const;

 private:
  Predictor& predictor_;
  const live::LiveSet& live_;
};

}  // namespace slipway::serving::tfserving
