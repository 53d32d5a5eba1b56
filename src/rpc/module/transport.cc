// The module's entry, and the transport it makes.

#include "rpc/transport.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "rpc/module/credentials.h"
#include "rpc/module/worker.h"

namespace slipway::rpc {
namespace {

/// The library has one log for all of its servers.
std::mutex log_mutex;  ///< guards log_service
Service* log_service = nullptr;

void Log(gpr_log_func_args* line) {
  const std::lock_guard lock(log_mutex);
  if (log_service != nullptr) log_service->OnLog(line->message);
}

void SendLogTo(Service* service) {
  const std::lock_guard lock(log_mutex);
  log_service = service;
}

int Milliseconds(std::chrono::nanoseconds time) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return static_cast<int>(std::clamp<int64_t>(count, 1, INT32_MAX));
}

int Bounded(int64_t value) {
  return static_cast<int>(std::min<int64_t>(value, INT32_MAX));
}

class GrpcTransport final : public Transport {
 public:
  GrpcTransport(const TransportOptions& options, Service& service) : options_(options), service_(service) {}
  ~GrpcTransport() override { Stop({}); }

  bool Start(std::string& error) {
    grpc::ServerBuilder builder;
    Limit(builder);
    const auto credentials = MakeCredentials(options_);
    if (credentials == nullptr) {
      error = "gRPC does not take the certificate";
      return false;
    }
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
    builder.RegisterAsyncGenericService(&generic_);
    for (int i = 0; i < options_.threads; ++i) {
      workers_.push_back(std::make_unique<Worker>(i, options_, service_, generic_, builder.AddCompletionQueue()));
    }
    gpr_set_log_function(&Log);
    SendLogTo(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      error = "gRPC cannot start a server";
      return false;
    }
    for (const auto& worker : workers_) {
      threads_.emplace_back([owned = worker.get()] { owned->Run(); });
    }
    return true;
  }

  void Adopt(int socket) override {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = socket;
    acceptor_->HandleNewConnection(&connection);
  }

  void RunOnThreads(const std::function<void(int thread)>& task) override {
    for (const auto& worker : workers_) {
      worker->mailbox()->Post([task, index = worker->index()] { task(index); });
    }
  }

  void Stop(std::chrono::nanoseconds timeout) override {
    std::call_once(stopped_, [&] {
      if (server_ != nullptr) {
        for (const auto& worker : workers_) worker->BeginDrain();
        server_->Shutdown(std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(timeout));
      }
      for (const auto& worker : workers_) {
        if (server_ == nullptr) {
          worker->Empty();
        } else {
          worker->Shutdown();
        }
      }
      threads_.clear();
      SendLogTo(nullptr);
    });
  }

 private:
  void Limit(grpc::ServerBuilder& builder) const {
    builder.SetMaxReceiveMessageSize(Bounded(options_.message_bytes));
    builder.SetMaxSendMessageSize(-1);
    if (options_.memory_bytes > 0) {
      grpc::ResourceQuota quota("slipway");
      quota.Resize(static_cast<size_t>(options_.memory_bytes));
      builder.SetResourceQuota(quota);
    }
    const std::pair<const char*, int> arguments[] = {
        {GRPC_ARG_MAX_METADATA_SIZE, Bounded(options_.metadata_bytes)},
        {GRPC_ARG_MAX_CONCURRENT_STREAMS, options_.streams_per_connection},
        {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Milliseconds(options_.handshake_deadline)},
        {GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(options_.idle_timeout)},
        {GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options_.keepalive_interval)},
        {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options_.keepalive_timeout)},
        {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
        {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0},
        {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Milliseconds(options_.least_ping_interval)},
        {GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2},
        {GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0},  // see message_bytes.cc
    };
    for (const auto& [name, value] : arguments) builder.AddChannelArgument(name, value);
  }

  const TransportOptions options_;
  Service& service_;
  grpc::AsyncGenericService generic_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::jthread> threads_;
  std::once_flag stopped_;
};

}  // namespace
}  // namespace slipway::rpc

extern "C" __attribute__((visibility("default"))) slipway::rpc::Transport* slipway_grpc_transport(
    int abi, const slipway::rpc::TransportOptions& options, slipway::rpc::Service& service, std::string& error) {
  if (abi != slipway::rpc::kTransportAbi) {
    error = "the module libslipway_grpc.so is of another release than this program";
    return nullptr;
  }
  auto transport = std::make_unique<slipway::rpc::GrpcTransport>(options, service);
  if (!transport->Start(error)) return nullptr;
  return transport.release();
}
