#pragma once
// The routes of MLflow's scoring server, which are also what SageMaker asks of a container.

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/route_table.h"
#include "serving/predictor.h"

namespace slipway::serving::mlflow {

/// What the routes stand on; all outlive them.
struct MlflowRouteParts {
  Predictor& predictor;
  std::string program_version;
  /// Why this process is not ready ("draining"), or "" when it is. From any thread.
  std::function<std::string_view()> unready_reason;
};

/// Adds POST /invocations, GET /ping, GET /version.
base::Result<void> AddMlflowRoutes(const MlflowRouteParts& parts, net::RouteTable& routes);

}  // namespace slipway::serving::mlflow
