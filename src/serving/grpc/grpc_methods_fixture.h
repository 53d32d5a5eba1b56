#pragma once
// All methods over fake bundles, called without a transport, for tests.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "live/sum_bundle_fake.h"
#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/grpc/health_methods.h"
#include "serving/grpc/reflection_methods.h"
#include "serving/grpc/tensorflow_methods.h"
#include "serving/grpc/triton_methods.h"

namespace slipway::serving::grpc {

/// What a message was answered with.
struct Answered {
  bool known = true;  ///< there is such a method
  rpc::Status status = rpc::Status::kOk;
  int http_status = 200;
  std::string body, error, headers;
  bool later = false;
};

/// The methods of a listener over any live set.
class GrpcMethods {
 public:
  GrpcMethods(const live::LiveSet& live, std::vector<std::string> permissions)
      : predictor_(live, metrics_, {.threads = 1}), methods_(std::move(permissions)) {
    predictor_.MarkStarted();
    AddTritonMethods({.predictor = predictor_,
                      .live = live,
                      .threads = 1,
                      .program_version = "7.8.9",
                      .unready_reason = [this] { return std::string_view(unready_); }},
                     methods_);
    AddTensorflowMethods(predictor_, live, 1, methods_);
    AddHealthMethods(std::make_shared<HealthWatchers>([this] { return std::string_view(unready_); }),
                     methods_.services(), methods_);
    AddReflectionMethods(methods_);
  }

  Answered Call(std::string_view method, std::string_view message,
                base::SteadyTime deadline = base::SteadyTime::max()) {
    Answered answered;
    const Route* route = methods_.Find(method);
    answered.known = route != nullptr;
    if (route == nullptr) return answered;
    net::Request request;
    net::Response response;
    request.path = method;
    request.body = message;
    request.route = &route->http;
    request.received = base::Clock::System().Now();
    request.deadline = deadline;
    route->http.handler(request, response);
    predictor_.note(0).Clear();
    const Failure failure = FailureOf(response);
    answered.status = failure.status;
    answered.http_status = response.status;
    answered.body = response.body;
    answered.error = failure.error;
    answered.headers = response.header_text();
    answered.later = static_cast<bool>(response.later);
    return answered;
  }

  const MethodTable& table() const { return methods_; }
  telemetry::MetricRegistry& metrics() { return metrics_; }
  void SetUnready(std::string reason) { unready_ = std::move(reason); }

 private:
  telemetry::MetricRegistry metrics_;
  Predictor predictor_;
  std::string unready_;
  MethodTable methods_;
};

}  // namespace slipway::serving::grpc
