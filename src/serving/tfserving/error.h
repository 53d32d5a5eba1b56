#pragma once
// Errors as TensorFlow Serving answers them: {"error": "…"}.

#include <string_view>

#include "base/error.h"
#include "net/http_fault.h"
#include "net/http_message.h"

namespace slipway::serving::tfserving {

void WriteError(int status, std::string_view text, net::Response& response);
/// With its status: that of every HTTP door, but 400 for a failed precondition.
void WriteError(const base::Error& error, net::Response& response);
/// For Route::fault_shape.
void WriteFault(const net::HttpFault& fault, const net::Request& request, net::Response& response);

}  // namespace slipway::serving::tfserving
