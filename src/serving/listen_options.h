#pragma once
// Where `slipway serve` listens, and who may reach what there.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/tls/options.h"

namespace slipway::serving {

/// Which listeners have the routes with the permission "observe" (/metrics, /models). Probes (/livez, /readyz) are on
/// all.
enum class ObserveOn : uint8_t { kBoth, kAdmin };

/// "both", "admin". Errors: invalid_argument "serve.observe_on".
base::Result<ObserveOn> ParseObserveOn(std::string_view text);

struct ListenOptions {
  std::vector<std::string> http = {"127.0.0.1:8080"};  ///< net::ListenAddress::Parse; at least one
  std::string admin;                                   ///< likewise; empty: no admin listener
  std::vector<std::string> grpc;                       ///< likewise, for gRPC; empty: none
  std::string grpc_admin;                              ///< the admin listener of gRPC; empty: none
  /// Lets the admin listener stand on an address that other machines reach although its clients prove nothing.
  bool admin_public = false;
  ObserveOn observe_on = ObserveOn::kBoth;
  net::tls::Options tls;  ///< of every listener but Unix sockets, which the modes of their files guard

  /// Errors: "net.address"; those of net::tls::Options::Check(); invalid_argument "serve.admin_public" for an admin
  /// address that everybody could use, "serve.observe_on" without a listener to observe on.
  base::Result<void> Check() const;
};

}  // namespace slipway::serving
