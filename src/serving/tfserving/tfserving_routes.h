#pragma once
// TensorFlow Serving's REST routes, which KServe's version 1 shares.

#include "base/error.h"
#include "live/live_set.h"
#include "net/route_table.h"
#include "serving/predictor.h"

namespace slipway::serving::tfserving {

/// What the routes stand on; all outlive them.
struct TfServingRouteParts {
  Predictor& predictor;
  const live::LiveSet& live;
};

/// Adds GET /v1/models, GET /v1/models/{model}[/versions/{version}|/labels/{label}][/metadata], and POST of the same
/// with :predict, :classify and :regress.
base::Result<void> AddTfServingRoutes(const TfServingRouteParts& parts, net::RouteTable& routes);

}  // namespace slipway::serving::tfserving
