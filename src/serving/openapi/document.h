#pragma once
// GET /openapi.json: the native routes with the exact contract of every model that is served.

#include <string_view>

#include "base/value.h"
#include "live/live_set.h"

namespace slipway::serving::openapi {

/// An OpenAPI 3.1 document: one path per model, whose schemas are its stable version's, with examples from its golden
/// records, and the routes beside them.
base::Value Document(const live::Snapshot& snapshot, std::string_view program_version);

}  // namespace slipway::serving::openapi
