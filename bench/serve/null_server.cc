// null_server HOST:PORT: the HTTP library of the product with a handler that computes nothing, for comparison.

#include <fmt/format.h>

#include <csignal>

#include "net/http_server.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  slipway::net::RouteTable routes;
  const auto answer = [](const slipway::net::Request&, slipway::net::Response& response) {
    response.body = R"({"model":"null","version":"1.0.0","prediction":{"probability":0.5}})";
  };
  if (!routes.Add({.method = slipway::net::Method::kPost,
                   .pattern = "/predict/{model}",
                   .permission = "public",
                   .handler = answer})) {
    return 1;
  }
  slipway::net::HttpServerOptions options;
  options.threads = 1;
  options.listeners.push_back({.address = argv[1], .routes = std::move(routes)});
  auto server = slipway::net::HttpServer::Start(std::move(options));
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().Text());
    return 3;
  }
  int signal = 0;
  sigwait(&set, &signal);
  (*server)->Stop();
}
