#pragma once
// The model repository of the Open Inference Protocol: what there is, and loading and unloading it by name.

#include "base/error.h"
#include "net/route_table.h"
#include "serving/oip/oip_routes.h"

namespace slipway::serving::oip {

/// Adds everything under /v2/repository. Where the table does not admit who operates, loading and unloading are refused
/// with a word about where they are taken.
base::Result<void> AddRepositoryRoutes(const OipRouteParts& parts, net::RouteTable& routes);

}  // namespace slipway::serving::oip
