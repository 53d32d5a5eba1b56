#include "serving/http_service.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/machine.h"
#include "net/http_server.h"
#include "net/tls/credentials.h"
#include "serving/grpc/grpc_listeners.h"
#include "serving/mlflow/mlflow_routes.h"
#include "serving/oip/oip_routes.h"
#include "serving/openapi/openapi_routes.h"
#include "serving/predictor.h"
#include "serving/request_log.h"
#include "serving/request_tracer.h"
#include "serving/rest/native_routes.h"
#include "serving/tfserving/tfserving_routes.h"
#include "telemetry/otlp/curl_sender.h"
#include "telemetry/process_metrics.h"

namespace slipway::serving {
namespace {

/// `log` outlives the registry's last scrape.
void AddServiceMetrics(const HttpServiceOptions& options, telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  telemetry::AddProcessMetrics(metrics);
  metrics.AddGauge({"slipway_build_info", "1, labelled with the program's version.", {"version"}})
      .With({options.program_version})
      .Set(1);
  if (const auto limit = base::MemoryLimit()) {
    metrics.AddGaugeReader({"slipway_memory_limit_bytes", "Memory that the cgroup allows.", {}},
                           [limit] { return static_cast<double>(limit->count); });
  }
  metrics.AddCounterReader(
      {"slipway_log_lines_dropped_total", "Log lines lost to a full buffer or a failing write.", {}},
      [&log](telemetry::MetricSamples& samples) { samples.Add({}, log.dropped()); });
}

base::Result<RequestTracer> MakeTracer(const HttpServiceOptions& options, int threads,
                                       telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  if (!options.tracing) return RequestTracer();
  const telemetry::otlp::Options& tracing = *options.tracing;
  for (const std::string& warning : tracing.warnings) {
    log.Line(telemetry::LogLevel::kWarning, "otlp.environment").Add("message", warning);
  }
  SLIPWAY_ASSIGN(auto sender, telemetry::otlp::MakeCurlSender(tracing));
  SLIPWAY_ASSIGN(auto exporter,
                 telemetry::otlp::SpanExporter::Start(tracing, std::move(sender), threads, metrics, log));
  log.Line(telemetry::LogLevel::kInfo, "otlp.ready").Add("url", tracing.url).Add("share", tracing.sampling.share);
  return RequestTracer(std::move(exporter), tracing.sampling, options.listen.tls.enabled() ? "https" : "http");
}

rpc::GateLimits GateOf(const HttpServiceOptions& options) {
  return {.connections = options.limits.connections,
          .connections_per_address = options.limits.connections_per_address,
          .resets_per_second = options.grpc_resets_per_second};
}

/// nullptr when none is asked for.
base::Result<std::unique_ptr<SharedCache>> MakeSharedCache(const HttpServiceOptions& options,
                                                           telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  if (options.shared_cache.redis.empty()) return nullptr;
  SharedCacheOptions shared = options.shared_cache;
  shared.program_version = options.program_version;
  if (options.cache.lifetime.count() > 0) shared.lifetime = options.cache.lifetime;
  return SharedCache::Start(shared, metrics, log);
}

/// With what was left to the machine filled in.
net::HttpConduct ConductOf(const HttpServiceOptions& options) {
  net::HttpConduct conduct{.limits = options.limits,
                           .compression = {.enabled = options.compress},
                           .cors = options.cors,
                           .drain_timeout = options.drain_timeout};
  if (conduct.limits.memory_in_flight == 0) conduct.limits.memory_in_flight = base::TotalMemory().count / 4;
  return conduct;
}

}  // namespace

struct HttpService::State {
  explicit State(const live::LiveSet& live_set) : live(live_set) {}
  const live::LiveSet& live;
  std::optional<Health> health;
  std::unique_ptr<SharedCache> shared_cache;  ///< nullptr: there is none
  std::optional<ColdStarts> cold_starts;      ///< nullopt: everything is loaded before it is called
  std::optional<Predictor> predictor;
  std::optional<RequestLog> request_log;
  RequestTracer tracer;
  std::unique_ptr<net::tls::Credentials> credentials;  ///< nullptr: in the clear
  std::vector<Listener> listeners;
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<grpc::GrpcListeners> grpc;   ///< nullptr: none
  live::LiveController* controller = nullptr;  ///< that is told what calls make of versions

  std::mutex mutex;  ///< guards what follows
  std::chrono::nanoseconds drain_delay{0}, drain_timeout{0};
  std::condition_variable hurry;
  int stops = 0;

  /// Everything that is to be known of an answered request.
  void OnAnswer(const net::Request& request, const net::Response& response, std::chrono::nanoseconds elapsed) {
    if (request.route != nullptr && request.route->permission == "predict") {
      health->Record(request.thread, elapsed, response.status);
    }
    RequestNote& note = predictor->note(request.thread);
    request_log->Write(request, response, note, elapsed);
    tracer.End(request, response, note, elapsed);
    note.Clear();
  }
  net::ListenerOptions& AddListener(net::HttpServerOptions& server, const std::string& address, bool admin);
  base::Result<void> AddRoutes(const HttpServiceOptions& options, const telemetry::MetricRegistry& metrics,
                               net::RouteTable& routes);
  base::Result<void> StartGrpc(const HttpServiceOptions& options, int threads, telemetry::MetricRegistry& metrics,
                               telemetry::Log& log);
  void NameListeners();
  void FollowUse(live::LiveController* of);
  ~State() {
    if (controller != nullptr) controller->ReadUse({});
  }
};

net::ListenerOptions& HttpService::State::AddListener(net::HttpServerOptions& server, const std::string& address,
                                                      bool admin) {
  auto& listener = server.listeners.emplace_back();
  listener.address = address;
  if (!address.starts_with("unix:")) listener.credentials = credentials.get();
  listeners.push_back({.address = address, .url = {}, .admin = admin});
  return listener;
}

/// All there are; the table leaves out what its listener is not for.
base::Result<void> HttpService::State::AddRoutes(const HttpServiceOptions& options,
                                                 const telemetry::MetricRegistry& metrics, net::RouteTable& routes) {
  SLIPWAY_TRY(
      rest::AddNativeRoutes({.predictor = *predictor, .live = live, .metrics = metrics, .health = *health}, routes));
  SLIPWAY_TRY(openapi::AddOpenApiRoutes(live, options.program_version, routes));
  const auto unready_reason = [this] { return health->UnreadyReason(); };
  SLIPWAY_TRY(oip::AddOipRoutes({.predictor = *predictor,
                                 .live = live,
                                 .threads = predictor->threads(),
                                 .program_version = options.program_version,
                                 .unready_reason = unready_reason,
                                 .controller = options.controller},
                                routes));
  SLIPWAY_TRY(tfserving::AddTfServingRoutes({.predictor = *predictor, .live = live}, routes));
  return mlflow::AddMlflowRoutes(
      {.predictor = *predictor, .program_version = options.program_version, .unready_reason = unready_reason}, routes);
}

/// `threads`: of HTTP, whose indices come first.
base::Result<void> HttpService::State::StartGrpc(const HttpServiceOptions& options, int threads,
                                                 telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  const int more = grpc::GrpcListeners::ThreadsOf(options.listen, threads);
  if (more == 0) return {};
  const grpc::GrpcListenersOptions given{
      .listen = options.listen,
      .limits = ConductOf(options).limits,
      .gate = GateOf(options),
      .streams_per_connection = options.grpc_streams_per_connection,
      .least_ping_interval = options.grpc_least_ping_interval,
      .threads = threads,
      .first_thread = threads,
      .credentials = credentials.get(),
      .before_answer = [this](net::Request& request, net::Response& response) { tracer.Begin(request, response); },
      .on_answer =
          [this](const net::Request& request, const net::Response& response, std::chrono::nanoseconds elapsed) {
            predictor->note(request.thread).grpc_status = static_cast<int>(grpc::FailureOf(response).status);
            OnAnswer(request, response, elapsed);
          }};
  const oip::OipRouteParts parts{.predictor = *predictor,
                                 .live = live,
                                 .threads = predictor->threads(),
                                 .program_version = options.program_version,
                                 .unready_reason = [this] { return health->UnreadyReason(); },
                                 .controller = options.controller};
  SLIPWAY_ASSIGN(grpc, grpc::GrpcListeners::Start(given, parts, metrics, log));
  for (const auto& [address, admin] : grpc->listeners()) {
    listeners.push_back({.address = address, .url = address, .admin = admin, .grpc = true});
  }
  return {};
}

void HttpService::State::NameListeners() {
  for (size_t i = 0; i < listeners.size(); ++i) {
    Listener& listener = listeners[i];
    listener.address = server->address(i);
    const bool web = !listener.address.starts_with("unix:");
    listener.url = web ? (credentials == nullptr ? "http://" : "https://") + listener.address : listener.address;
  }
}

void HttpService::State::FollowUse(live::LiveController* of) {
  if (!cold_starts) return;
  controller = of;
  controller->ReadUse([this](const live::ModelStatus& version) { return predictor->UseOf(version); });
}

HttpService::HttpService(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpService::~HttpService() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->drain_delay = {};
  }
  Stop();
}

base::Result<std::unique_ptr<HttpService>> HttpService::Start(const HttpServiceOptions& options,
                                                              const live::LiveSet& live,
                                                              telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  SLIPWAY_TRY(options.listen.Check());
  auto owned = std::make_unique<State>(live);
  State& state = *owned;
  state.drain_delay = options.drain_delay;
  state.drain_timeout = options.drain_timeout;
  const int threads = options.threads > 0 ? options.threads : base::CpuBudget();
  const int all_threads = threads + grpc::GrpcListeners::ThreadsOf(options.listen, threads);
  state.health.emplace(HealthOptions{.thresholds = options.health,
                                     .threads = all_threads,
                                     .program_version = options.program_version,
                                     .memory_limit = base::MemoryLimit(),
                                     .resident_memory = base::ResidentMemory},
                       live);
  SLIPWAY_ASSIGN(state.shared_cache, MakeSharedCache(options, metrics, log));
  PredictorOptions prediction = {.threads = all_threads,
                                 .limits = options.decode,
                                 .cache = options.cache,
                                 .shared_cache = state.shared_cache.get(),
                                 .compute = options.compute};
  if (prediction.compute.runs_at_once <= 0) prediction.compute.runs_at_once = threads;
  if (options.cold.enabled && options.controller != nullptr) {
    prediction.cold_starts = &state.cold_starts.emplace(live, *options.controller, metrics, options.cold);
  }
  state.predictor.emplace(live, metrics, prediction);
  state.FollowUse(options.controller);
  state.request_log.emplace(log, all_threads, options.log_lines_per_second);
  SLIPWAY_ASSIGN(state.tracer, MakeTracer(options, all_threads, metrics, log));
  AddServiceMetrics(options, metrics, log);

  net::HttpServerOptions server;
  server.threads = threads;
  server.conduct = ConductOf(options);
  server.metrics = &metrics;
  server.log = &log;
  server.on_answer = [&state](const net::Request& request, const net::Response& response,
                              std::chrono::nanoseconds elapsed) { state.OnAnswer(request, response, elapsed); };
  server.before_head = [&state](net::Request& request, net::Response& response) {
    state.tracer.Begin(request, response);
  };
  server.loop_lag = &state.health->loop_lag();
  if (options.listen.tls.enabled()) {
    SLIPWAY_ASSIGN(state.credentials,
                   net::tls::Credentials::Load({.options = options.listen.tls, .metrics = &metrics, .log = &log}));
  }
  for (const std::string& address : options.listen.http) {
    auto& routes = state.AddListener(server, address, false).routes;
    routes.AdmitOnly(options.listen.observe_on == ObserveOn::kAdmin
                         ? std::vector<std::string>{"public", "predict"}
                         : std::vector<std::string>{"public", "predict", "observe"});
    SLIPWAY_TRY(state.AddRoutes(options, metrics, routes));
  }
  if (!options.listen.admin.empty()) {
    auto& routes = state.AddListener(server, options.listen.admin, true).routes;
    routes.AdmitOnly({"public", "observe", "operate"});
    SLIPWAY_TRY(state.AddRoutes(options, metrics, routes));
  }
  SLIPWAY_ASSIGN(state.server, net::HttpServer::Start(std::move(server)));
  state.NameListeners();
  SLIPWAY_TRY(state.StartGrpc(options, threads, metrics, log));
  return std::unique_ptr<HttpService>(new HttpService(std::move(owned)));
}

void HttpService::MarkStarted() {
  state_->predictor->MarkStarted();  // first: who is told that all is ready is not told to wait
  state_->health->MarkStarted();
  if (state_->grpc != nullptr) state_->grpc->RefreshHealth();
}

void HttpService::BeginDrain() {
  state_->health->BeginDrain();  // first: who is told to go finds the reason
  state_->server->WindDown();
  if (state_->grpc != nullptr) state_->grpc->RefreshHealth();
}

void HttpService::Stop() {
  BeginDrain();
  std::chrono::nanoseconds timeout{0};
  {
    std::unique_lock lock(state_->mutex);
    const int mine = ++state_->stops;
    state_->hurry.notify_all();
    if (mine == 1) state_->hurry.wait_for(lock, state_->drain_delay, [&] { return state_->stops > 1; });
    timeout = state_->drain_timeout;
  }
  // Calls that wait are answered or refused while their connections last.
  if (state_->cold_starts) state_->cold_starts->EndBy(base::Clock::System().Now() + timeout * 3 / 4);
  std::jthread grpc([&] {
    if (state_->grpc != nullptr) state_->grpc->Stop(timeout);
  });
  state_->server->Stop();
  grpc.join();
  state_->predictor->Stop();
  state_->tracer.Stop();
}

base::Result<void> HttpService::Change(const HttpServiceOptions& options) {
  SLIPWAY_TRY(state_->server->Change(ConductOf(options)));
  state_->health->SetThresholds(options.health);
  state_->request_log->SetLinesPerSecond(options.log_lines_per_second);
  if (state_->grpc != nullptr) state_->grpc->SetLimits(GateOf(options));
  const std::lock_guard lock(state_->mutex);
  state_->drain_delay = options.drain_delay;
  state_->drain_timeout = options.drain_timeout;
  return {};
}

void HttpService::LetGo() {
  const auto refresh = [predictor = &*state_->predictor](int thread) { predictor->Refresh(thread); };
  state_->server->RunOnThreads(refresh);
  if (state_->grpc != nullptr) state_->grpc->RunOnThreads(refresh);
  state_->predictor->RefreshPool();
  if (state_->cold_starts) state_->cold_starts->OnChange();
}

void HttpService::Forget(const live::LiveSet::Unloaded& version) {
  state_->predictor->Forget(version);
}

base::Result<void> HttpService::ReloadCertificates() {
  if (state_->credentials == nullptr) return {};
  return state_->credentials->Reload();
}

std::vector<HttpService::Listener> HttpService::listeners() const {
  return state_->listeners;
}

uint16_t HttpService::port() const {
  return state_->server->port();
}

int HttpService::threads() const {
  return state_->server->threads();
}

}  // namespace slipway::serving
