#pragma once
// Errors as MLflow's scoring server answers them: {"error_code": "BAD_REQUEST", "message": "…"}.

#include <string_view>

#include "base/error.h"
#include "net/http_fault.h"
#include "net/http_message.h"

namespace slipway::serving::mlflow {

/// The name of MLflow's that clients turn back into an exception; chosen by the status.
std::string_view ErrorCodeOf(int status);

void WriteError(int status, std::string_view message, net::Response& response);
void WriteError(const base::Error& error, net::Response& response);
/// For Route::fault_shape.
void WriteFault(const net::HttpFault& fault, const net::Request& request, net::Response& response);

}  // namespace slipway::serving::mlflow
