#pragma once
// Who a client has proved to be by its certificate.

#include <string>
#include <vector>

namespace slipway::net {

/// Taken from a certificate that was verified up to the client CA. Texts come from that certificate: control characters
/// are escaped, and a name with a NUL in it is left out.
struct PeerIdentity {
  std::string subject;      ///< RFC 2253: "CN=batch,O=Example"
  std::string common_name;  ///< the last CN of the subject; empty when there is none
  /// Subject alternative names with their kinds: "DNS:batch.example", "URI:spiffe://example/batch", "email:a@b",
  /// "IP:::1".
  std::vector<std::string> alternative_names;
};

}  // namespace slipway::net
