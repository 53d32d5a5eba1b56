#pragma once
// What an operator says about TLS.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::net::tls {

/// Whether clients show certificates. A certificate that is shown must verify, also where none is required.
enum class ClientAuth : uint8_t { kNone, kOptional, kRequire };

/// "none", "optional", "require". Errors: invalid_argument "tls.client_auth".
base::Result<ClientAuth> ParseClientAuth(std::string_view text);

struct Options {
  std::string certificate;                ///< PEM: the server's certificate, then those that lead to its root
  std::string key;                        ///< PEM, without passphrase; empty: in the certificate's file
  std::string client_ca;                  ///< PEM: roots that client certificates must lead to
  std::optional<ClientAuth> client_auth;  ///< nullopt: kRequire with a client_ca, else kNone

  bool enabled() const { return !certificate.empty(); }
  ClientAuth effective_client_auth() const {
    return client_auth.value_or(client_ca.empty() ? ClientAuth::kNone : ClientAuth::kRequire);
  }
  /// Errors: invalid_argument "tls.options" when options are given that need another.
  base::Result<void> Check() const;
};

}  // namespace slipway::net::tls
