#include "serving/grpc/grpc_listeners.h"

#include <thread>
#include <utility>

#include "serving/grpc/reflection_methods.h"
#include "serving/grpc/tensorflow_methods.h"
#include "serving/grpc/triton_methods.h"

namespace slipway::serving::grpc {
namespace {

MethodTable MethodsFor(std::vector<std::string> permissions, const oip::OipRouteParts& parts,
                       const std::shared_ptr<HealthWatchers>& watchers) {
  MethodTable methods(std::move(permissions));
  AddTritonMethods(parts, methods);
  AddTensorflowMethods(parts.predictor, parts.live, parts.threads, methods);
  AddHealthMethods(watchers, methods.services(), methods);
  AddReflectionMethods(methods);
  return methods;
}

}  // namespace

int GrpcListeners::ThreadsOf(const ListenOptions& listen, int threads) {
  return (listen.grpc.empty() ? 0 : threads) + (listen.grpc_admin.empty() ? 0 : 1);
}

base::Result<std::unique_ptr<GrpcListeners>> GrpcListeners::Start(const GrpcListenersOptions& options,
                                                                  const oip::OipRouteParts& parts,
                                                                  telemetry::MetricRegistry& metrics,
                                                                  telemetry::Log& log) {
  std::unique_ptr<GrpcListeners> made(new GrpcListeners());
  made->watchers_ = std::make_shared<HealthWatchers>(parts.unready_reason);
  GrpcServiceOptions service{.threads = options.threads,
                             .first_thread = options.first_thread,
                             .limits = options.limits,
                             .gate = options.gate,
                             .streams_per_connection = options.streams_per_connection,
                             .least_ping_interval = options.least_ping_interval,
                             .credentials = options.credentials,
                             .before_answer = options.before_answer,
                             .on_answer = options.on_answer,
                             .on_tick = [watchers = made->watchers_] { watchers->Refresh(); }};
  if (!options.listen.grpc.empty()) {
    std::vector<std::string> permissions = {"public", "predict"};
    if (options.listen.observe_on == ObserveOn::kBoth) permissions.emplace_back("observe");
    service.addresses = options.listen.grpc;
    service.role = "serve";
    SLIPWAY_ASSIGN(
        made->everybody_,
        GrpcService::Start(service, MethodsFor(std::move(permissions), parts, made->watchers_), metrics, log));
    service.first_thread += service.threads;
  }
  if (!options.listen.grpc_admin.empty()) {
    service.addresses = {options.listen.grpc_admin};
    service.role = "admin";
    service.threads = 1;
    SLIPWAY_ASSIGN(made->operators_,
                   GrpcService::Start(service, MethodsFor({"public", "observe", "operate"}, parts, made->watchers_),
                                      metrics, log));
  }
  return made;
}

void GrpcListeners::RunOnThreads(const std::function<void(int thread)>& task) {
  for (const auto& service : {everybody_.get(), operators_.get()}) {
    if (service != nullptr) service->RunOnThreads(task);
  }
}

void GrpcListeners::SetLimits(const rpc::GateLimits& limits) {
  for (const auto& service : {everybody_.get(), operators_.get()}) {
    if (service != nullptr) service->SetLimits(limits);
  }
}

void GrpcListeners::Stop(std::chrono::nanoseconds timeout) {
  std::jthread other([&] {
    if (operators_ != nullptr) operators_->Stop(timeout);
  });
  if (everybody_ != nullptr) everybody_->Stop(timeout);
}

std::vector<GrpcListeners::Listener> GrpcListeners::listeners() const {
  std::vector<Listener> all;
  for (const auto& [service, admin] : {std::pair(everybody_.get(), false), std::pair(operators_.get(), true)}) {
    if (service == nullptr) continue;
    for (const std::string& address : service->addresses()) all.push_back({address, admin});
  }
  return all;
}

}  // namespace slipway::serving::grpc
