#pragma once
// Gate: listens for gRPC's connections, lets in as many as may be open, and cuts those that flood the server with calls
// which they take back at once ("rapid reset"). The library behind the transport bounds neither.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/address_table.h"
#include "net/descriptor.h"
#include "net/listen_address.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::rpc {

/// What connections may cost. Each is an option of `slipway serve`.
struct GateLimits {
  int connections = 10'000;
  int connections_per_address = 0;  ///< an IPv4 address or an IPv6 /64; 0: any
  int resets_per_second = 100;      ///< calls of one connection that its client takes back, ten seconds' worth at once
};

/// A connection's allowance of resets. Thread-safety: none.
class ResetAllowance {
 public:
  /// Counts one. False: there have been too many.
  bool Take(base::SteadyTime now, int per_second);

 private:
  static constexpr double kSeconds = 10;  ///< that may come at once
  double spent_ = 0;
  base::SteadyTime last_;
};

/// Thread-safety: all methods from any thread. Lifecycle: listening from Open(), letting in from Start() to Stop().
class Gate {
 public:
  /// The registry and the log outlive the gate. `role` is a label of its metrics: "serve", "admin".
  /// Errors: those of HttpServer::Start for addresses.
  static base::Result<std::unique_ptr<Gate>> Open(const std::vector<std::string>& addresses, std::string_view role,
                                                  const GateLimits& limits, telemetry::MetricRegistry& metrics,
                                                  telemetry::Log& log);
  ~Gate();

  /// `admit` takes a connected socket over, `tick` comes every half second: both on the gate's thread.
  void Start(std::function<void(int socket)> admit, std::function<void()> tick);
  void Stop();
  void SetLimits(const GateLimits& limits);
  /// A call of this peer's connection was taken back.
  void CountReset(std::string_view peer);

  /// As given, with the port that was taken.
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  /// A socket that the library owns. Its number may be another's by now; the cookie tells.
  struct Connection {
    int socket;
    uint64_t cookie;
    net::AddressKey key;
    ResetAllowance resets;
  };
  Gate(std::string_view role, const GateLimits& limits, telemetry::MetricRegistry& metrics, telemetry::Log& log);
  base::Result<void> Listen(const std::string& address);
  void Run();
  void Accept(const net::Descriptor& listener);
  void Admit(net::Descriptor socket, std::string peer);
  void Refuse(std::string_view reason);
  void Sweep();

  telemetry::Log& log_;
  const std::string role_;
  telemetry::CounterFamily refused_;
  telemetry::Counter accepted_, flooded_;
  telemetry::Gauge open_;
  std::vector<std::string> addresses_;
  std::vector<net::Descriptor> listeners_;
  std::vector<net::UnixListener> unix_listeners_;
  net::Descriptor wake_;
  std::function<void(int socket)> admit_;
  std::function<void()> tick_;
  net::AddressTable table_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  ///< guards what follows
  GateLimits limits_;
  std::unordered_map<std::string, Connection> connections_;  ///< by peer; those on Unix sockets under "unix:<cookie>"
};

}  // namespace slipway::rpc
