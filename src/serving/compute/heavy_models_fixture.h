#pragma once
// A running HttpService whose model is heavy, and runs only when the test lets it.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/gate_test.h"
#include "serving/http_service_fixture.h"

namespace slipway::serving {

inline constexpr std::string_view kRecord = R"({"a":1,"b":2,"kind":"x"})";

class HeavyModelsFixture : public HttpServiceFixture {
 protected:
  void SetUp() override {
    bundles_.run_hook = [this]() -> base::Result<void> {
      gate_.Pass();
      return {};
    };
  }
  void TearDown() override { gate_.Open(); }

  /// One io thread, one run at a time; the model is known to be heavy, and the gate closed.
  void StartHeavy(const std::string& limits = "", ComputeOptions compute = {}, base::Bytes cache = {}) {
    Load("sum", "1.0.0", limits);
    HttpServiceOptions options;
    options.cache.memory = cache;
    options.compute = compute;
    options.compute.heavy = std::chrono::nanoseconds(1);
    Start(options);
    for (const char* record : {R"({"a":1,"b":-1,"kind":"x"})", R"({"a":1,"b":-2,"kind":"x"})"}) {
      ASSERT_EQ(Post("/predict/sum", record).status, 200);
    }
    gate_.Close();
    runs_ = gate_.came();
  }
  net::RawClient Send(std::string_view headers = "", std::string_view path = "/predict/sum",
                      std::string_view body = kRecord) {
    net::RawClient client(service_->port());
    client.Send("POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    return client;
  }
  /// Runs since the model was known to be heavy.
  int Runs() const { return gate_.came() - runs_; }
  base::Value Workload() { return *base::ParseJson(Get("/models/sum").body)->Find("workload"); }
  void AwaitWaiting(int64_t calls) {
    while (Workload().Find("waiting")->integer() < calls) std::this_thread::yield();
  }
  /// While one call runs: so many wait for the model, and none for a thread.
  void AwaitBeforeModel(int calls) {
    const std::string busy = "slipway_compute_threads_busy " + std::to_string(calls + 1) + "\n";
    while (Get("/metrics").body.find(busy) == std::string::npos) std::this_thread::yield();
    AwaitWaiting(calls);
  }

  base::Gate gate_;
  int runs_ = 0;
};

}  // namespace slipway::serving
