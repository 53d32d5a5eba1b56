#pragma once
// One table from errors to HTTP, for every door that speaks it.

#include "base/error.h"
#include "net/http_message.h"

namespace slipway::serving {

/// 400 for what the caller got wrong, 404, 413 past a limit, 429 overload, 503 not ready, 504 deadline, 500 ours.
int HttpStatusOf(const base::Error& error);

/// `Retry-After: 1` in answers of 429 and 503 that do not tell it yet.
void AddRetryAfter(net::Response& response);

}  // namespace slipway::serving
