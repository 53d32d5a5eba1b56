#include "net/http_server.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/machine.h"
#include "net/descriptor.h"
#include "net/io_thread.h"

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
  open = registry.AddGauge({"slipway_http_connections", "Connections open.", {}}).With({});
  waiting =
      registry
          .AddGauge(
              {"slipway_http_requests_waiting", "Requests begun that wait for bytes or for the peer to read.", {}})
          .With({});
}

struct HttpServer::State {
  ServerContext context;
  std::vector<uint16_t> ports;
  std::vector<std::unique_ptr<IoThread>> io;
  std::vector<std::jthread> threads;
  std::once_flag stopped;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  Stop();
}

base::Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options) {
  auto state = std::make_unique<State>();
  const int threads = options.threads > 0 ? options.threads : base::CpuBudget();
  state->context.options = std::move(options);
  const auto& listeners = state->context.options.listeners;
  for (int i = 0; i < threads; ++i) {
    SLIPWAY_ASSIGN(auto io, IoThread::Create(state->context, i));
    state->io.push_back(std::move(io));
  }
  for (size_t i = 0; i < listeners.size(); ++i) {
    SLIPWAY_ASSIGN(TcpAddress address, TcpAddress::Parse(listeners[i].address));
    if (address.port != 0) SLIPWAY_TRY(CheckPortIsFree(address));
    for (const auto& io : state->io) {
      SLIPWAY_ASSIGN(Descriptor socket, Listen(address, listeners[i].backlog, true));
      if (address.port == 0) address.port = LocalPort(socket);
      SLIPWAY_TRY(io->AddListener(std::move(socket), i));
    }
    state->ports.push_back(address.port);
  }
  state->context.RegisterMetrics();
  for (const auto& io : state->io) {
    state->threads.emplace_back([thread = io.get()] { thread->Run(); });
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

void HttpServer::Stop() {
  std::call_once(state_->stopped, [this] {
    for (const auto& io : state_->io) io->BeginDrain();
    for (auto& thread : state_->threads) thread.join();
  });
}

uint16_t HttpServer::port(size_t listener) const {
  return state_->ports[listener];
}

int HttpServer::threads() const {
  return static_cast<int>(state_->io.size());
}

int HttpServer::connections() const {
  return state_->context.connections.load(std::memory_order_relaxed);
}

}  // namespace slipway::net
