#pragma once
// GrpcListeners: everything that is served over gRPC, for everybody and for operators, beside the HTTP listeners.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "serving/grpc/grpc_service.h"
#include "serving/grpc/health_methods.h"
#include "serving/listen_options.h"
#include "serving/oip/oip_routes.h"

namespace slipway::serving::grpc {

struct GrpcListenersOptions {
  ListenOptions listen;
  net::HttpLimits limits;
  rpc::GateLimits gate;
  int streams_per_connection = 128;
  std::chrono::nanoseconds least_ping_interval = std::chrono::seconds(10);
  int threads = 1;       ///< of the listeners for everybody
  int first_thread = 0;  ///< index of the first of them among all threads of the process that serve
  const net::tls::Credentials* credentials = nullptr;  ///< outlives them; nullptr: in the clear
  std::function<void(net::Request&, net::Response&)> before_answer;
  std::function<void(const net::Request&, const net::Response&, std::chrono::nanoseconds elapsed)> on_answer;
};

/// Lifecycle: serving from Start() to Stop(). Thread-safety: all methods from any thread but their own.
class GrpcListeners {
 public:
  /// How many threads they take beside those of HTTP.
  static int ThreadsOf(const ListenOptions& listen, int threads);

  /// `parts`, whose `threads` are all that serve in this process, `metrics` and `log` outlive them. Errors: those of
  /// GrpcService::Start.
  static base::Result<std::unique_ptr<GrpcListeners>> Start(const GrpcListenersOptions& options,
                                                            const oip::OipRouteParts& parts,
                                                            telemetry::MetricRegistry& metrics, telemetry::Log& log);

  /// Whether the process is ready may have changed.
  void RefreshHealth() { watchers_->Refresh(); }
  void RunOnThreads(const std::function<void(int thread)>& task);
  void SetLimits(const rpc::GateLimits& limits);
  void Stop(std::chrono::nanoseconds timeout);

  struct Listener {
    std::string address;
    bool admin;
  };
  std::vector<Listener> listeners() const;

 private:
  GrpcListeners() = default;
  std::shared_ptr<HealthWatchers> watchers_;
  std::unique_ptr<GrpcService> everybody_, operators_;  ///< nullptr: no listener
};

}  // namespace slipway::serving::grpc
