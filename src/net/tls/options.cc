#include "net/tls/options.h"

#include <fmt/format.h>

#include "base/text.h"

namespace slipway::net::tls {

base::Result<ClientAuth> ParseClientAuth(std::string_view text) {
  if (text == "none") return ClientAuth::kNone;
  if (text == "optional") return ClientAuth::kOptional;
  if (text == "require") return ClientAuth::kRequire;
  return base::Fail(base::Code::kInvalidArgument, "tls.client_auth",
                    fmt::format("\"{}\" is no way to treat client certificates: write none, optional or require",
                                base::Shorten(text, 64)));
}

base::Result<void> Options::Check() const {
  const auto fail = [](std::string message) {
    return base::Fail(base::Code::kInvalidArgument, "tls.options", std::move(message));
  };
  if (!enabled()) {
    if (!key.empty()) return fail("a TLS key is given without a certificate; add --tls-cert");
    if (!client_ca.empty()) return fail("a client CA is given without a certificate of the server; add --tls-cert");
    if (effective_client_auth() != ClientAuth::kNone) {
      return fail("client certificates are asked for without a certificate of the server; add --tls-cert");
    }
    return {};
  }
  if (effective_client_auth() != ClientAuth::kNone && client_ca.empty()) {
    return fail("client certificates are asked for without a CA to verify them; add --tls-client-ca");
  }
  return {};
}

}  // namespace slipway::net::tls
