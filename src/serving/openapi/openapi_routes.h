#pragma once
// The routes that describe the others: GET /openapi.json, /docs and the page's two files.

#include <string>

#include "base/error.h"
#include "live/live_set.h"
#include "net/route_table.h"

namespace slipway::serving::openapi {

/// `live` outlives the routes.
base::Result<void> AddOpenApiRoutes(const live::LiveSet& live, const std::string& program_version,
                                    net::RouteTable& routes);

}  // namespace slipway::serving::openapi
