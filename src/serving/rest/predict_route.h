#pragma once
// POST /predict/{model}: records in as JSON, JSON lines or CSV, predictions out in the same form or as Accept asks.
// ?strict=true fails the whole request when any row is wrong; ?explain=timing adds "timing_us" to JSON.

#include <memory>

#include "net/route_table.h"
#include "serving/predictor.h"

namespace slipway::serving::rest {

/// Thread-safety: Handle() and Open() on every io thread at once. Ownership: the predictor outlives it.
class PredictRoute {
 public:
  explicit PredictRoute(Predictor& predictor) : predictor_(predictor) {}
  void Handle(const net::Request& request, net::Response& response) const;
  /// For bodies of JSON lines and CSV that can be answered as they arrive; nullptr for all others, among them those
  /// whose answer is settled by the last row (JSON, strict).
  std::unique_ptr<net::StreamedAnswer> Open(const net::Request& request) const;

 private:
  Predictor& predictor_;
};

}  // namespace slipway::serving::rest
