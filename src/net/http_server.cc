#include "net/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/machine.h"
#include "net/io_thread.h"
#include "net/listen_address.h"

namespace slipway::net {

void ServerContext::RegisterMetrics() {
  route_metrics.resize(options.listeners.size());
  for (size_t i = 0; i < options.listeners.size(); ++i) route_metrics[i].resize(options.listeners[i].routes.size());
  if (options.metrics == nullptr) return;
  auto& registry = *options.metrics;
  const auto answers = registry.AddCounter(
      {"slipway_http_requests_total", "HTTP requests answered.", {"door", "method", "route", "status"}});
  const auto durations =
      registry.AddHistogram({"slipway_http_request_duration_seconds",
                             "From the turn in which the last bytes of a request were read to its answer "
                             "handed to the kernel.",
                             {"door", "method", "route"},
                             512,
                             1e-9});
  const auto resolve = [&](std::string_view door, std::string_view method, std::string_view pattern) {
    RouteMetrics metrics;
    constexpr std::string_view kClasses[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (const size_t status : {2, 4, 5})
      metrics.answers[status] = answers.With({door, method, pattern, kClasses[status]});
    metrics.duration = durations.With({door, method, pattern});
    return metrics;
  };
  for (size_t i = 0; i < options.listeners.size(); ++i) {
    for (const Route* route : options.listeners[i].routes.All()) {
      route_metrics[i][static_cast<size_t>(route->index)] =
          resolve(route->door, MethodName(route->method), route->pattern);
    }
  }
  unrouted = resolve("none", "any", "none");
  refusals = registry.AddCounter({"slipway_http_refusals_total",
                                  "Requests and connections that the HTTP server itself "
                                  "refused, by reason.",
                                  {"reason"}});
  accepted = registry.AddCounter({"slipway_http_connections_total", "Connections accepted.", {}}).With({});
  open = registry.AddGauge({"slipway_http_connections_open", "Connections open.", {}}).With({});
  waiting =
      registry
          .AddGauge(
              {"slipway_http_requests_waiting", "Requests begun that wait for bytes or for the peer to read.", {}})
          .With({});
  held = registry
             .AddGauge({"slipway_http_memory_in_flight_bytes",
                        "Held in request bodies that are not whole and in answers that were not taken.",
                        {}})
             .With({});
  held_limit =
      registry.AddGauge({"slipway_http_memory_in_flight_limit_bytes", "What they may hold in all; 0: any.", {}})
          .With({});
  held_limit.Set(static_cast<double>(options.conduct.limits.memory_in_flight));
  const auto handshakes =
      registry.AddCounter({"slipway_tls_handshakes_total",
                           "TLS handshakes, by how they ended: full, resumed, or the reason of a failure.",
                           {"outcome"}});
  for (size_t i = 0; i < tls::kHandshakeOutcomes; ++i) {
    handshake_outcomes[i] = handshakes.With({tls::HandshakeOutcomeName(static_cast<tls::HandshakeOutcome>(i))});
  }
  loop_lag =
      registry
          .AddHistogram(
              {"slipway_event_loop_lag_seconds", "How late the timers of the threads that serve ran.", {}, 512, 1e-9})
          .With({});
  handshaking = registry.AddGauge({"slipway_tls_handshakes_under_way", "TLS handshakes under way.", {}}).With({});
}

struct HttpServer::State {
  ServerContext context;
  std::vector<uint16_t> ports;
  std::vector<std::string> addresses;
  std::vector<UnixListener> unix_listeners;
  std::vector<std::unique_ptr<IoThread>> io;
  std::vector<std::jthread> threads;
  std::once_flag stopped;

  base::Result<void> Listen(size_t listener);
};

base::Result<void> HttpServer::State::Listen(size_t listener) {
  const ListenerOptions& options = context.options.listeners[listener];
  SLIPWAY_ASSIGN(ListenAddress address, ListenAddress::Parse(options.address));
  if (auto* tcp = std::get_if<TcpAddress>(&address.where)) {
    if (tcp->port != 0) SLIPWAY_TRY(CheckPortIsFree(*tcp));
    for (const auto& thread : io) {
      SLIPWAY_ASSIGN(Descriptor socket, net::Listen(*tcp, options.backlog, true));
      if (tcp->port == 0) tcp->port = LocalPort(socket);
      SLIPWAY_TRY(thread->AddListener(std::move(socket), listener, IoThread::Dealing::kKeep));
    }
    ports.push_back(tcp->port);
    addresses.push_back(tcp->ToString());
    return {};
  }
  // One socket for all: the first thread accepts, and deals the connections out.
  Descriptor socket;
  if (const auto* local = std::get_if<UnixAddress>(&address.where)) {
    SLIPWAY_ASSIGN(UnixListener opened, UnixListener::Listen(*local, options.backlog));
    socket = opened.TakeSocket();
    unix_listeners.push_back(std::move(opened));
    addresses.push_back("unix:" + local->path);
  } else {
    SLIPWAY_ASSIGN(socket, TakeInherited(std::get<InheritedAddress>(address.where)));
    addresses.push_back(options.address);
  }
  ports.push_back(LocalPort(socket));
  return io.front()->AddListener(std::move(socket), listener, IoThread::Dealing::kDeal);
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  Stop();
}

base::Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options) {
  SLIPWAY_TRY(options.conduct.cors.Check());
  auto state = std::make_unique<State>();
  const int threads = options.threads > 0 ? options.threads : base::CpuBudget();
  state->context.options = std::move(options);
  const auto& listeners = state->context.options.listeners;
  for (int i = 0; i < threads; ++i) {
    SLIPWAY_ASSIGN(auto io, IoThread::Create(state->context, i));
    state->context.threads.push_back(io.get());
    state->io.push_back(std::move(io));
  }
  for (size_t i = 0; i < listeners.size(); ++i) SLIPWAY_TRY(state->Listen(i));
  state->context.RegisterMetrics();
  for (const auto& io : state->io) {
    state->threads.emplace_back([thread = io.get()] { thread->Run(); });
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

void HttpServer::WindDown() {
  for (const auto& io : state_->io) io->WindDown();
}

void HttpServer::Stop() {
  std::call_once(state_->stopped, [this] {
    state_->unix_listeners.clear();  // a successor may listen there at once
    for (const auto& io : state_->io) io->BeginDrain();
    for (auto& thread : state_->threads) thread.join();
  });
}

base::Result<void> HttpServer::Change(const HttpConduct& conduct) {
  SLIPWAY_TRY(conduct.cors.Check());
  const auto shared = std::make_shared<const HttpConduct>(conduct);
  for (const auto& io : state_->io) io->Change(shared);
  state_->context.held_limit.Set(static_cast<double>(conduct.limits.memory_in_flight));
  return {};
}

void HttpServer::RunOnThreads(const std::function<void(int thread)>& task) {
  for (const auto& io : state_->io) {
    io->loop().Post([task, thread = io->index()] { task(thread); });
  }
}

uint16_t HttpServer::port(size_t listener) const {
  return state_->ports[listener];
}

const std::string& HttpServer::address(size_t listener) const {
  return state_->addresses[listener];
}

int HttpServer::threads() const {
  return static_cast<int>(state_->io.size());
}

int HttpServer::connections() const {
  return state_->context.connections.load(std::memory_order_relaxed);
}

}  // namespace slipway::net
