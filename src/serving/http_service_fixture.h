#pragma once
// A running HttpService over fake bundles, for tests of the doors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/files.h"
#include "base/value.h"
#include "live/sum_bundle_fake.h"
#include "net/raw_client_test.h"
#include "serving/http_service.h"

namespace slipway::serving {

/// Serves "sum" 1.0.0 from the first request on, or from Start().
class HttpServiceFixture : public testing::Test {
 protected:
  void SetUp() override { Load("sum", "1.0.0"); }
  void Load(const std::string& name, const std::string& version, const std::string& more = "") {
    LoadFrom(bundles_.Write(name, version, more));
  }
  void LoadFrom(const std::filesystem::path& bundle) {
    const auto loaded = live_.Load(bundle);
    ASSERT_TRUE(loaded) << loaded.error().Text();
  }
  void Start(HttpServiceOptions options = {}) {
    options.listen.http[0] = "127.0.0.1:0";
    options.threads = 1;
    options.program_version = "7.8.9";
    auto started = HttpService::Start(options, live_, metrics_, *log_);
    ASSERT_TRUE(started) << started.error().Text();
    service_ = std::move(*started);
    if (loaded_) service_->MarkStarted();
  }
  net::RawAnswer Post(std::string_view path, std::string_view body, std::string_view headers = "") {
    if (service_ == nullptr) Start();
    return net::RawClient(service_->port())
        .Ask("POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  net::RawAnswer Get(std::string_view path, std::string_view headers = "") {
    if (service_ == nullptr) Start();
    return net::RawClient(service_->port())
        .Ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n");
  }
  std::string LogText() {
    // A line is written after its answer is sent: wait until no more come.
    std::string before, text;
    for (int i = 0; i < 200 && (text.empty() || text != before); ++i) {
      before = text;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      log_->Flush();
      text = base::ReadFile(folder_.path() / "log").value();
    }
    return text;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
  live::SumBundles bundles_;
  telemetry::MetricRegistry metrics_;
  std::unique_ptr<telemetry::Log> log_ = telemetry::Log::Open({.path = (folder_.path() / "log").string()}).value();
  live::LiveSet live_{bundles_.engines()};
  std::unique_ptr<HttpService> service_;
  bool loaded_ = true;  ///< Start() leaves a service that has loaded everything
};

}  // namespace slipway::serving
