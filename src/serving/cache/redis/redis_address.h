#pragma once
// Where a Redis is, and who we are to it.

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::serving {

struct RedisAddress {
  std::string host;
  int port = 6379;
  std::string user;      ///< empty: "default"
  std::string password;  ///< empty: none is asked for
  int database = 0;

  /// "redis://[[user]:password@]host[:port][/database]"; an IPv6 address stands in brackets, and %XX in user and
  /// password. Errors: invalid_argument "redis.url"; the message never shows the password.
  static base::Result<RedisAddress> Parse(std::string_view url);
  /// "cache.example:6379/0": for logs, without user and password.
  std::string Shown() const;
};

}  // namespace slipway::serving
