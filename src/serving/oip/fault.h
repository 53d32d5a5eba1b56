#pragma once
// Errors of the Open Inference Protocol: {"error":"…"}.

#include <string_view>

#include "base/error.h"
#include "net/http_fault.h"
#include "net/http_message.h"

namespace slipway::serving::oip {

void WriteError(int status, std::string_view text, net::Response& response);
/// With its status by HttpStatusOf().
void WriteError(const base::Error& error, net::Response& response);
/// The net::FaultShape of these routes.
void WriteFault(const net::HttpFault& fault, const net::Request& request, net::Response& response);

}  // namespace slipway::serving::oip
