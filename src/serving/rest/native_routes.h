#pragma once
// Slipway's own REST routes.

#include <memory>
#include <string>

#include "base/error.h"
#include "live/live_set.h"
#include "net/route_table.h"
#include "serving/health.h"
#include "serving/predictor.h"
#include "telemetry/metrics.h"

namespace slipway::serving::rest {

/// What the routes stand on; all outlive them.
struct NativeRouteParts {
  Predictor& predictor;
  const live::LiveSet& live;
  const telemetry::MetricRegistry& metrics;
  const Health& health;
};

/// Adds POST /predict/{model}, GET /livez /readyz /health /models /models/{model} /metrics.
base::Result<void> AddNativeRoutes(const NativeRouteParts& parts, net::RouteTable& routes);

}  // namespace slipway::serving::rest
