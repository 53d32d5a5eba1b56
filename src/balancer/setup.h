#pragma once
// What stands in front of several replicas, as an operator says it: where they are, where clients come in, how fast a
// replica that goes is noticed. From it come configurations for HAProxy and nginx, to be read, edited and kept.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::balancer {

struct Setup {
  std::vector<std::string> replicas;     ///< HOST:PORT or [IPV6]:PORT
  std::string listen = ":8080";          ///< HOST:PORT, [IPV6]:PORT, :PORT
  std::string tls_certificate;           ///< PEM file; empty: in the clear
  std::string tls_key;                   ///< PEM file; empty: in the certificate's
  std::string stats = "127.0.0.1:8404";  ///< where the balancer tells of itself; empty: nowhere
  std::chrono::nanoseconds check_interval = std::chrono::seconds(1);
  std::chrono::nanoseconds slow_start = std::chrono::seconds(10);
  /// The largest request, head and body, that is kept until it is answered and can be sent to another replica.
  int64_t retry_bytes = 64 << 10;

  // What the replicas themselves are told.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);
  int64_t body_bytes = int64_t{64} << 20;

  /// Errors: invalid_argument "usage" that names the option, the value and the way out.
  base::Result<void> Check() const;

  /// Connections to replicas are let go this long after their last use: earlier than a replica lets go, so that no
  /// request meets a connection that is just being closed.
  std::chrono::nanoseconds KeptIdle() const;
  /// After how long at most no new request goes to a replica that says it is not ready: two checks, and one under way.
  std::chrono::nanoseconds NoticedAfter() const { return 3 * check_interval; }
  /// What replicas need as --drain-delay: the same, with a margin for a busy machine.
  std::chrono::nanoseconds DrainDelay() const;
};

/// HAProxy 2.6 or later: a whole haproxy.cfg. `setup` has been checked. Errors: invalid_argument "usage" when HAProxy
/// cannot do what is asked.
base::Result<std::string> HaproxyConfiguration(const Setup& setup);

/// nginx 1.22 or later, open source: a file for its http context (conf.d/). `setup` has been checked. Errors:
/// invalid_argument "usage" when nginx cannot do what is asked.
base::Result<std::string> NginxConfiguration(const Setup& setup);

}  // namespace slipway::balancer
