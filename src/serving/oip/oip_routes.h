#pragma once
// The Open Inference Protocol (KServe v2) with Triton's extensions, over REST. docs/protocols/oip.md describes it.

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "live/live_controller.h"
#include "live/live_set.h"
#include "net/route_table.h"
#include "serving/predictor.h"

namespace slipway::serving::oip {

/// What the routes stand on; all outlive them.
struct OipRouteParts {
  Predictor& predictor;
  const live::LiveSet& live;
  int threads = 1;  ///< io threads: request.thread is below it
  std::string program_version;
  /// Why this process is not ready ("draining"), or "" when it is. From any thread.
  std::function<std::string_view()> unready_reason;
  live::LiveController* controller = nullptr;  ///< loads and unloads; nullptr: nobody does
};

/// Adds everything under /v2.
base::Result<void> AddOipRoutes(const OipRouteParts& parts, net::RouteTable& routes);

}  // namespace slipway::serving::oip
