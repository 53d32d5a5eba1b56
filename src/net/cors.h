#pragma once
// Which web pages' scripts may read answers (https://fetch.spec.whatwg.org, "CORS protocol"). Off unless origins are
// named.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::net {

struct CorsOptions {
  std::vector<std::string> origins;  ///< "https://app.example.com", or "*" for all; empty: off
  bool credentials = false;          ///< cookies and TLS client certificates too; never with "*"
  int max_age_seconds = 600;         ///< for which a browser may keep a preflight's answer

  bool enabled() const { return !origins.empty(); }
  /// Errors: "net.cors": "*" with credentials, or something that is no origin.
  base::Result<void> Check() const;
};

/// Header lines for an answer to a request from `origin` (empty: the request names none). Nothing is allowed to an
/// origin that is not listed; "Vary: Origin" is always said where the answer depends on it.
void AppendCorsHeaders(const CorsOptions& cors, std::string_view origin, std::string& out);

/// The same for a preflight: an OPTIONS with Access-Control-Request-Method. `allow`: the path's methods.
void AppendPreflightHeaders(const CorsOptions& cors, std::string_view origin, std::string_view allow,
                            std::string_view asked_headers, std::string& out);

}  // namespace slipway::net
