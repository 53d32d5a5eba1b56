#pragma once
// TLS with whatever certificate is current at each handshake.

#include <memory>

#include "rpc/transport.h"

namespace grpc {
class ServerCredentials;
}

namespace slipway::rpc {

/// Without options.credentials: in the clear. nullptr: the library takes the certificate not.
std::shared_ptr<grpc::ServerCredentials> MakeCredentials(const TransportOptions& options);

}  // namespace slipway::rpc
