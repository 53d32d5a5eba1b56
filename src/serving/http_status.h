#pragma once
// One table from errors to HTTP, for every door that speaks it.

#include "base/error.h"

namespace slipway::serving {

/// 400 for what the caller got wrong, 404, 413 past a limit, 429 overload, 503 not ready, 504 deadline, 500 ours.
int HttpStatusOf(const base::Error& error);

}  // namespace slipway::serving
