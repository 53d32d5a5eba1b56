#pragma once
// HttpService: a live set behind HTTP, with request log, metrics, readiness and an orderly end.
//
//   SLIPWAY_ASSIGN(auto service, HttpService::Start(options, live, metrics, log));
//   … wait for SIGTERM …
//   service->Stop();   // not ready -> drain delay -> finish what was accepted

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "live/live_controller.h"
#include "live/live_set.h"
#include "net/cors.h"
#include "net/http_limits.h"
#include "rpc/gate.h"
#include "serving/cache/prediction_cache.h"
#include "serving/cache/redis/shared_cache.h"
#include "serving/cold/cold_starts.h"
#include "serving/compute/workload.h"
#include "serving/decode_limits.h"
#include "serving/health.h"
#include "serving/listen_options.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/otlp/options.h"

namespace slipway::serving {

struct HttpServiceOptions {
  ListenOptions listen;
  int threads = 0;  ///< io threads; 0: as many as the cgroup allows
  net::HttpLimits limits;
  DecodeLimits decode;
  // Of gRPC alone, beside what it shares with HTTP.
  int grpc_resets_per_second = rpc::GateLimits{}.resets_per_second;
  int grpc_streams_per_connection = 128;
  std::chrono::nanoseconds grpc_least_ping_interval = std::chrono::seconds(10);
  HealthThresholds health;
  net::CorsOptions cors;
  bool compress = false;                    ///< answers, when the client takes it and they are large
  std::string program_version;              ///< for slipway_build_info
  std::chrono::nanoseconds drain_delay{0};  ///< Stop(): not ready, but still serving, so that balancers look away
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(30);
  /// Request log: lines a second and thread, the rest is left out and counted in the next line's "skipped". Answers of
  /// 500 and above are always logged.
  int log_lines_per_second = 100;
  /// Loads and unloads models for the admin listener's callers; outlives the service. nullptr: nobody does.
  live::LiveController* controller = nullptr;
  ColdStartOptions cold;  ///< enabled: the controller loads lazily
  PredictionCacheOptions cache;
  SharedCacheOptions shared_cache;
  ComputeOptions compute{.runs_at_once = 0};        ///< runs_at_once 0: as many as there are io threads
  std::optional<telemetry::otlp::Options> tracing;  ///< where spans are sent; nullopt: nowhere
};

/// Lifecycle: serving from Start() to Stop(). Thread-safety: all methods from any thread but the io threads.
class HttpService {
 public:
  /// `live`, `metrics` and `log` outlive the service. Errors: those of ListenOptions::Check,
  /// net::tls::Credentials::Load, telemetry::otlp::MakeCurlSender, SharedCache::Start, net::HttpServer::Start and, with
  /// a listener for it, grpc::GrpcListeners::Start.
  static base::Result<std::unique_ptr<HttpService>> Start(const HttpServiceOptions& options, const live::LiveSet& live,
                                                          telemetry::MetricRegistry& metrics,
                                                          telemetry::Log& log = telemetry::Log::Discard());
  ~HttpService();  ///< stops without drain delay

  /// Turns /readyz to true, as far as the checks of /health allow: what was asked for is loaded. Until then, a model
  /// that is not there is answered with 503, from then on with 404.
  void MarkStarted();
  /// Turns /readyz to false while everything goes on being served, each answer as the last of its connection. Part of
  /// Stop().
  void BeginDrain();
  /// Idempotent. A second call from another thread (a second signal) cuts the drain delay short.
  void Stop();

  /// Takes those of `options` that may change while it serves: limits, compress, cors, drain_delay, drain_timeout,
  /// health and log_lines_per_second. Requests that have begun go on as they were. Errors: those of
  /// net::HttpServer::Change, and nothing changes.
  base::Result<void> Change(const HttpServiceOptions& options);

  /// Has every io thread let go of versions that are no longer served, and calls go on that waited for one to be
  /// loaded. To be called when the live set changes.
  void LetGo();
  /// Lets go of what was counted and kept for a version. To be called when the live set has unloaded it.
  void Forget(const live::LiveSet::Unloaded& version);

  /// Reads the certificate's files again, if there are any. Errors: those of net::tls::Credentials::Reload.
  base::Result<void> ReloadCertificates();

  uint16_t port() const;  ///< of the first listener
  /// The listeners as they stand: those for everybody in the order given, then the admin one, then those of gRPC.
  struct Listener {
    std::string address;  ///< "127.0.0.1:41234", "unix:/run/slipway.sock"
    std::string url;      ///< "https://127.0.0.1:41234"; for a Unix socket and for gRPC the address
    bool admin;
    bool grpc = false;
  };
  std::vector<Listener> listeners() const;
  int threads() const;

 private:
  struct State;
  explicit HttpService(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::serving
