#pragma once
// A server for tests, with routes of the test's choosing, and requests as bytes.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/http_server.h"
#include "net/raw_client_test.h"

namespace slipway::net {

class ServerFixture : public testing::Test {
 protected:
  void AddRoute(Method method, std::string pattern, Handler handler, bool requires_body = false) {
    ASSERT_TRUE(routes_.Add({.method = method,
                             .pattern = std::move(pattern),
                             .permission = "public",
                             .handler = std::move(handler),
                             .requires_body = requires_body}));
  }
  void AddEcho() {
    AddRoute(Method::kPost, "/echo", [](const Request& request, Response& response) { response.body = request.body; });
    AddRoute(Method::kGet, "/hello", [](const Request&, Response& response) { response.body = "\"hello\""; });
  }
  void Start(HttpServerOptions options = {}) {
    options.threads = options.threads > 0 ? options.threads : 1;
    options.listeners.push_back({.address = "127.0.0.1:0", .routes = std::move(routes_)});
    options.metrics = &metrics_;
    auto started = HttpServer::Start(std::move(options));
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  RawClient Connect() const { return RawClient(server_->port()); }
  std::string MetricsText() const {
    std::string text;
    metrics_.WriteText(text);
    return text;
  }

  telemetry::MetricRegistry metrics_;
  RouteTable routes_;
  std::unique_ptr<HttpServer> server_;
};

inline constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

inline std::string Post(std::string_view path, std::string_view body, std::string_view headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace slipway::net
