#pragma once
// HttpClient sends one request and takes its answer, by libcurl, which is opened when it is first needed: TLS, proxies
// and name resolution are its business. It follows no redirects and repeats nothing.

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::storage::s3 {

struct HttpRequest {
  std::string method, url;
  std::map<std::string, std::string> headers;
  std::string_view body;
  /// Of the answer's body, at most; more of it is an error.
  size_t most_bytes = size_t{1} << 20;
  /// How long nothing to speak of may come or go.
  std::chrono::milliseconds patience{30'000};
  std::stop_token stop;
};

/// What came, even when the rest did not.
struct HttpAnswer {
  int status = 0;                              ///< 0: not even that
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

/// Keeps connections open between requests. Thread-safety: all methods from any thread; a request takes a connection of
/// its own.
class HttpClient {
 public:
  /// `ca_file`: what certificates are checked with; empty: what the system trusts. Errors: those of
  /// base::SharedLibrary::Open; unavailable "library.unfit".
  static base::Result<std::unique_ptr<HttpClient>> Create(std::string ca_file, std::string agent);
  virtual ~HttpClient() = default;

  /// Errors: unavailable "storage.unreachable" (may be fine later), cancelled "storage.given_up"; permission_denied
  /// "storage.tls"; data_loss "storage.answer" when the answer is too long.
  virtual base::Result<void> Send(const HttpRequest& request, HttpAnswer& answer) = 0;
};

}  // namespace slipway::storage::s3
