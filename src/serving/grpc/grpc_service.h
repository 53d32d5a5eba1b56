#pragma once
// GrpcService: the calls of one set of gRPC listeners, from their messages to their log lines.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/http_limits.h"
#include "net/tls/credentials.h"
#include "rpc/gate.h"
#include "rpc/transport.h"
#include "serving/grpc/method_table.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::serving::grpc {

struct GrpcServiceOptions {
  std::vector<std::string> addresses;
  std::string_view role;  ///< a label of metrics: "serve", "admin"
  int threads = 1;
  int first_thread = 0;  ///< index of the first of them among all threads of the process that serve
  net::HttpLimits limits;
  rpc::GateLimits gate;
  int streams_per_connection = 128;
  std::chrono::nanoseconds least_ping_interval = std::chrono::seconds(10);
  const net::tls::Credentials* credentials = nullptr;  ///< outlives the service; nullptr: in the clear
  /// Before an answer is sent, and when it is: on its thread.
  std::function<void(net::Request&, net::Response&)> before_answer;
  std::function<void(const net::Request&, const net::Response&, std::chrono::nanoseconds elapsed)> on_answer;
  std::function<void()> on_tick;  ///< every half second, on a thread of its own
};

/// Lifecycle: serving from Start() to Stop(). Thread-safety: all methods from any thread but its own.
class GrpcService {
 public:
  /// `metrics` and `log` outlive the service. Errors: those of rpc::Gate::Open and rpc::OpenTransport.
  static base::Result<std::unique_ptr<GrpcService>> Start(GrpcServiceOptions options, MethodTable methods,
                                                          telemetry::MetricRegistry& metrics, telemetry::Log& log);
  ~GrpcService();

  /// Lets nobody in any more, waits for calls that have begun, and cuts them at the timeout.
  void Stop(std::chrono::nanoseconds timeout);
  /// Runs `task` on each thread, with its index among all.
  void RunOnThreads(const std::function<void(int thread)>& task);
  void SetLimits(const rpc::GateLimits& limits);

  const std::vector<std::string>& addresses() const;

 private:
  struct State;
  explicit GrpcService(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::serving::grpc
