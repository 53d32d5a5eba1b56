#include "serving/grpc/health_methods.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/grpc/infer_message.h"

namespace slipway::serving::grpc {
namespace {

/// HealthCheckResponse.ServingStatus
constexpr uint64_t kServing = 1, kNotServing = 2, kServiceUnknown = 3;

std::string StatusMessage(uint64_t status) {
  std::string out;
  rpc::WireWriter(out).Varint(1, status);
  return out;
}

/// Where a method pushes, each answer is a message.
void Push(const net::LateAnswer& call, uint64_t status) {
  call.Finish([status](const net::Request&, net::Response& response) { response.body = StatusMessage(status); });
}

base::Result<std::string_view> ReadService(std::string_view message) {
  SLIPWAY_ASSIGN(const ModelChoice request, ReadModelChoice(message));
  return request.name;  // field 1, as there
}

}  // namespace

void HealthWatchers::Add(const net::LateAnswer& call, bool known) {
  const std::lock_guard lock(mutex_);
  const bool now = ready();
  Push(call, !known ? kServiceUnknown : now ? kServing : kNotServing);
  watchers_.push_back({call, known, now});
}

void HealthWatchers::Refresh() {
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.call.abandoned().stop_requested(); });
  if (watchers_.empty()) return;
  const bool now = ready();
  for (Watcher& watcher : watchers_) {
    if (std::exchange(watcher.told, now) != now && watcher.known) Push(watcher.call, now ? kServing : kNotServing);
  }
}

void AddHealthMethods(const std::shared_ptr<HealthWatchers>& watchers, std::vector<std::string> services,
                      MethodTable& methods) {
  const auto known = [services = std::move(services)](std::string_view name) {
    return name.empty() || std::ranges::find(services, name) != services.end();
  };
  methods.Add("/grpc.health.v1.Health/Check", "public", Door::kGrpc, [watchers, known](ServiceCall& call) {
    const auto service = ReadService(call.request.body);
    if (!service) return call.Fail(service.error());
    if (!known(*service)) {
      return call.Fail({base::Code::kNotFound, "grpc.no_service",
                        fmt::format("there is no service \"{}\"; \"\" means the whole server", base::Shorten(*service)),
                        ""});
    }
    call.response.body = StatusMessage(watchers->ready() ? kServing : kNotServing);
  });
  methods.Add(
      "/grpc.health.v1.Health/Watch", "public", Door::kGrpc,
      [watchers, known](ServiceCall& call) {
        const auto service = ReadService(call.request.body);
        if (!service) return call.Fail(service.error());
        call.response.later = [watchers, fine = known(*service)](const net::LateAnswer& late) {
          watchers->Add(late, fine);
        };
      },
      Shape::kPush);
}

}  // namespace slipway::serving::grpc
