#pragma once
// An HTTP/1.1 server, one thread a core, that knows no models. Requests are read, handled and answered on the thread
// that owns their connection; threads share nothing but a few counters outside the path of a request.
//
//   RouteTable routes;
//   SLIPWAY_TRY(routes.Add({.method = Method::kGet, .pattern = "/livez", .permission = "public", .handler = Live}));
//   HttpServerOptions options;
//   options.listeners.push_back({.address = "127.0.0.1:8080", .routes = std::move(routes)});
//   SLIPWAY_ASSIGN(auto server, HttpServer::Start(std::move(options)));
//   …
//   server->Stop();

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/cors.h"
#include "net/http_limits.h"
#include "net/http_message.h"
#include "net/route_table.h"
#include "net/tls/credentials.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/recent_window.h"

namespace slipway::net {

/// One address and the routes behind it.
struct ListenerOptions {
  std::string address = "127.0.0.1:8080";  ///< ListenAddress::Parse; port 0 takes any free one
  RouteTable routes;
  const tls::Credentials* credentials = nullptr;  ///< TLS with these, which outlive the server; nullptr: in the clear
  int backlog = 1024;
};

/// Answers in a content coding that the client's Accept-Encoding takes (gzip or zstd).
struct CompressionOptions {
  bool enabled = false;
  int64_t min_bytes = 4 << 10;  ///< of the answer; below, it never pays
};

/// What may change while a server runs.
struct HttpConduct {
  HttpLimits limits;
  CompressionOptions compression;
  CorsOptions cors;
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(30);  ///< Stop() waits so long for requests begun
};

struct HttpServerOptions {
  std::vector<ListenerOptions> listeners;
  int threads = 0;  ///< io threads; 0: base::CpuBudget()
  HttpConduct conduct;
  telemetry::MetricRegistry* metrics = nullptr;  ///< outlives the server; nullptr: no metrics
  telemetry::Log* log = nullptr;                 ///< outlives the server; nullptr: no log
  /// Gets how late each io thread's timer ran, by thread; outlives the server; nullptr: not measured.
  telemetry::RecentWindow* loop_lag = nullptr;
  /// Called on the io thread before the head of each answer is written, also of the server's own errors: may set
  /// request.trace and add headers.
  std::function<void(Request& request, Response& response)> before_head;
  /// Called on the io thread after each answer is handed to the kernel, also after the server's own errors (then
  /// request.route may be nullptr). For access logs; must be cheap.
  std::function<void(const Request& request, const Response& response, std::chrono::nanoseconds elapsed)> on_answer;
};

/// Lifecycle: serving from Start() to Stop(); not started twice.
/// Thread-safety: WindDown(), Stop() and Change() from any thread but the io threads, any number of times.
class HttpServer {
 public:
  /// Binds all listeners, then starts the threads. Errors: "net.address", "net.address_in_use", "net.listen",
  /// "net.no_inherited_socket".
  static base::Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options);
  ~HttpServer();  ///< stops

  /// From now on each answer says "Connection: close", while everything goes on being accepted and answered. Called
  /// some time before Stop(), it leaves no connection that a client might use at the very moment in which Stop() closes
  /// it.
  void WindDown();

  /// Stops accepting, closes idle connections, lets requests that have begun finish with "Connection: close" and new
  /// connections send their first one, and returns when all have, or when the drain timeout has passed and the rest
  /// were cut.
  void Stop();

  /// Each io thread takes the new conduct between two of its turns, soon after this returns. It counts for connections
  /// and requests that begin then; of those that have begun, for deadlines not yet set. Errors: those of
  /// CorsOptions::Check(), and nothing changes.
  base::Result<void> Change(const HttpConduct& conduct);

  /// Runs `task` on each io thread, between two of its turns, with the thread's index. Not after Stop().
  void RunOnThreads(const std::function<void(int thread)>& task);

  uint16_t port(size_t listener = 0) const;  ///< 0 for a Unix socket
  /// As given, with the port that was taken: "127.0.0.1:41234", "unix:/run/slipway.sock".
  const std::string& address(size_t listener = 0) const;
  int threads() const;
  /// Connections open now, in total.
  int connections() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::net
