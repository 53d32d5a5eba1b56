#pragma once
// LoginKeeper holds the credentials that requests are signed with, and fetches others before they end.

#include <mutex>

#include "base/clock.h"
#include "base/error.h"
#include "storage/s3/config.h"
#include "storage/s3/http_client.h"

namespace slipway::storage::s3 {

/// Thread-safety: all methods from any thread; one of them fetches while the others wait.
class LoginKeeper {
 public:
  LoginKeeper(Login login, std::string region, HttpClient& http, const base::Clock& clock = base::Clock::System())
      : login_(std::move(login)), region_(std::move(region)), http_(http), clock_(clock) {}

  /// Credentials that hold for minutes yet. Error: permission_denied "storage.credentials".
  base::Result<Credentials> Get();
  /// Where they come from, for messages.
  const std::string& told() const { return login_.told; }

 private:
  struct Lent {
    Credentials credentials;
    base::WallTime ends;
  };
  base::Result<Lent> Fetch();
  base::Result<Lent> FromRole();
  base::Result<Lent> FromContainer();
  base::Result<Lent> FromInstance();
  base::Result<std::string> Ask(HttpRequest request);
  std::unexpected<base::Error> Failed(std::string_view what) const;

  const Login login_;
  const std::string region_;
  HttpClient& http_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::optional<Lent> lent_;  ///< guarded by mutex_
};

}  // namespace slipway::storage::s3
