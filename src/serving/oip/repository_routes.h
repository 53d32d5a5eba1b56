#pragma once
// The model repository of the Open Inference Protocol: what there is, and loading and unloading it by name.

#include "base/error.h"
#include "serving/oip/oip_routes.h"
#include "serving/oip/route_adder.h"

namespace slipway::serving::oip {

/// Adds everything under /v2/repository. Where nobody `operates`, loading and unloading are refused with a word about
/// where they are taken.
base::Result<void> AddRepositoryRoutes(const OipRouteParts& parts, bool operates, RouteAdder& adder);

}  // namespace slipway::serving::oip
