#pragma once
// Opens libslipway_grpc.so, which speaks gRPC, when a listener for it is asked for.

#include <memory>

#include "base/error.h"
#include "rpc/transport.h"

namespace slipway::rpc {

/// Errors: unavailable "grpc.module" when the module or the libraries that it needs are not installed, or it cannot
/// start. The service outlives the transport.
base::Result<std::unique_ptr<Transport>> OpenTransport(const TransportOptions& options, Service& service);

/// Whether the module and what it needs are there. Errors: "grpc.module".
base::Result<void> CheckTransportModule();

}  // namespace slipway::rpc
