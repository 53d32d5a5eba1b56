#include "serving/grpc/grpc_service.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <exception>
#include <stop_token>
#include <utility>

#include "base/ids.h"
#include "net/content_coding.h"
#include "net/late_answer.h"
#include "rpc/transport_module.h"

namespace slipway::serving::grpc {
namespace {

using rpc::Status;

constexpr size_t kKeptBody = 1 << 20;
constexpr size_t kPadding = 64;  ///< behind a body, see net::Request

rpc::PemCredentials PemOf(const net::tls::Credentials& credentials) {
  const auto context = credentials.Current();
  auto pem = context->ToPem();
  if (!pem) return {};  // the library says that it cannot use that
  return {.chain = std::move(pem->chain),
          .key = std::move(pem->key),
          .client_roots = std::move(pem->client_roots),
          .generation = context->serial()};
}

rpc::ClientCertificates Wanted(net::tls::ClientAuth auth) {
  switch (auth) {
    case net::tls::ClientAuth::kNone:
      return rpc::ClientCertificates::kNone;
    case net::tls::ClientAuth::kOptional:
      return rpc::ClientCertificates::kOptional;
    case net::tls::ClientAuth::kRequire:
      break;
  }
  return rpc::ClientCertificates::kRequired;
}

/// "Slipway-Model: iris\r\n" as ("slipway-model", "iris").
void AddMetadata(std::string_view lines, rpc::Reply& reply) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos || line.starts_with("grpc-")) continue;
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    reply.metadata.emplace_back(std::move(name), line.substr(colon + 2));
  }
}

}  // namespace

struct GrpcService::State final : rpc::Service {
  State(GrpcServiceOptions given, MethodTable methods, telemetry::MetricRegistry& metrics, telemetry::Log& log)
      : options(std::move(given)),
        methods(std::move(methods)),
        log(log),
        lost(metrics.AddCounter({"slipway_grpc_calls_lost_total",
                                 "gRPC calls that ended without an answer of a method, by reason.",
                                 {"reason"}})),
        answered(metrics.AddCounter(
            {"slipway_grpc_requests_total", "Messages of gRPC calls that were answered.", {"door", "method", "code"}})),
        durations(metrics.AddHistogram({"slipway_grpc_request_duration_seconds",
                                        "From a message's arrival to its answer handed to gRPC.",
                                        {"door", "method"},
                                        512,
                                        1e-9})),
        threads(static_cast<size_t>(options.threads)) {
    for (Thread& thread : threads) thread.of_method.resize(this->methods.size() + 1);
  }

  struct MethodMetrics {
    bool ready = false;
    std::string_view door = "native", method = "other";
    telemetry::Counter good;
    telemetry::Histogram duration;
  };
  /// Reused by the calls of one thread.
  struct alignas(64) Thread {
    std::vector<MethodMetrics> of_method;  ///< by Route::http.index, then of what is no method of ours
    net::Request request;
    net::Response response;
    std::array<char, 32> id;
  };

  class WaitingCall;

  const rpc::Method* Find(std::string_view path) override { return methods.Find(path); }
  void Handle(const rpc::Method& method, const rpc::Call& call, rpc::Reply& reply) override;
  void OnUnknown(const rpc::Call& call, rpc::Reply& reply) override;
  void OnLoss(rpc::Loss loss, std::string_view path, std::string_view peer) override;
  bool Decompress(std::string_view coding, std::string_view message, std::string& out, std::string& error) override;
  void OnLog(std::string_view text) override {
    log.Line(telemetry::LogLevel::kDebug, "grpc.library").Add("message", text);
  }

  /// The registry's lock is taken once a method and thread.
  MethodMetrics& MetricsOf(const net::Request& request);
  void Count(const net::Request& request, const net::Response& response);

  void Fill(const rpc::Call& call, const net::Route* route, Thread& thread) const;
  void Run(const std::function<void(net::Response&)>& handler, net::Request& request, net::Response& response,
           rpc::Reply& reply);
  void Answer(net::Request& request, net::Response& response, rpc::Reply& reply);
  rpc::TransportOptions Transport() const;

  const GrpcServiceOptions options;
  const MethodTable methods;
  telemetry::Log& log;
  telemetry::CounterFamily lost, answered;
  telemetry::HistogramFamily durations;
  std::vector<Thread> threads;
  std::unique_ptr<rpc::Gate> gate;
  std::unique_ptr<rpc::Transport> transport;
};

/// A call that waits, with what it asked.
class GrpcService::State::WaitingCall final : public net::LateAnswer::Waiting,
                                              public std::enable_shared_from_this<WaitingCall> {
 public:
  WaitingCall(State& service, const net::Request& request, bool pushes)
      : service_(service),
        pushes_(pushes),
        path_(request.path),
        peer_(request.remote_address),
        id_(request.id),
        traceparent_(request.traceparent),
        request_(request) {
    body_.reserve(request.body.size() + kPadding);
    body_ = request.body;
    headers_.reserve(request.headers.size());
    for (net::HeaderField& field : request_.headers) {
      const auto& [name, value] = headers_.emplace_back(field.name, field.value);
      field = {name, value};
    }
    request_.target = request_.path = path_;
    request_.remote_address = peer_;
    request_.id = id_;
    request_.traceparent = traceparent_;
    request_.body = body_;
  }
  void Await(std::shared_ptr<rpc::Later> later) { later_ = std::move(later); }

  void Post(net::LateAnswer::Fill fill) override {
    if (posted_.exchange(true) && !pushes_) return;
    later_->Post([self = shared_from_this(), fill = std::move(fill)](rpc::Reply& reply) { self->Finish(fill, reply); });
  }
  const net::Request& request() const override { return request_; }
  std::stop_token abandoned() const override { return later_->abandoned(); }

 private:
  void Finish(const net::LateAnswer::Fill& fill, rpc::Reply& reply) {
    net::Response response;
    service_.Run(
        [&](net::Response& out) {
          if (fill) return fill(request_, out);
          const bool gone = abandoned().stop_requested();
          ServiceCall(request_, out)
              .Fail({gone ? base::Code::kCancelled : base::Code::kInternal, gone ? "grpc.cancelled" : "grpc.internal",
                     gone ? "the caller took the call back" : "the answer never came", ""});
        },
        request_, response, reply);
  }

  State& service_;
  const bool pushes_;
  const std::string path_, peer_, id_, traceparent_;
  std::string body_;
  std::vector<std::pair<std::string, std::string>> headers_;
  net::Request request_;
  std::shared_ptr<rpc::Later> later_;
  std::atomic<bool> posted_{false};
};

void GrpcService::State::Fill(const rpc::Call& call, const net::Route* route, Thread& thread) const {
  net::Request& request = thread.request;
  request.method = net::Method::kPost;
  request.target = request.path = call.path;
  request.headers.clear();
  request.id = request.traceparent = {};
  for (const auto& [name, value] : call.metadata) {
    request.headers.push_back({name, value});
    if (name == "x-request-id" && net::IsSaneRequestId(value)) request.id = value;
    if (name == "traceparent") request.traceparent = value;
  }
  if (request.id.empty() || !call.first) {
    base::FillRequestId(thread.id);
    request.id = {thread.id.data(), thread.id.size()};
  }
  request.body = call.message;
  request.remote_address = call.peer;
  request.trace.reset();
  request.received = call.received;
  request.deadline = call.deadline;
  request.thread = options.first_thread + call.thread;
  request.route = route;
  thread.response.Clear();
  if (thread.response.body.capacity() > kKeptBody) std::string().swap(thread.response.body);
}

void GrpcService::State::Handle(const rpc::Method& method, const rpc::Call& call, rpc::Reply& reply) {
  const auto& route = static_cast<const Route&>(method);
  Thread& thread = threads[static_cast<size_t>(call.thread)];
  Fill(call, &route.http, thread);
  Run([&](net::Response& response) { route.http.handler(thread.request, response); }, thread.request, thread.response,
      reply);
}

/// Has the handler answer, now or later.
void GrpcService::State::Run(const std::function<void(net::Response&)>& handler, net::Request& request,
                             net::Response& response, rpc::Reply& reply) {
  try {
    handler(response);
  } catch (const std::exception& failure) {
    log.Line(telemetry::LogLevel::kError, "grpc.handler_failed")
        .Add("request_id", request.id)
        .Add("path", request.path)
        .Add("message", failure.what());
    response.Clear();
    ServiceCall(request, response)
        .Fail({base::Code::kInternal, "grpc.internal", "the server failed to answer; its log says why", ""});
  }
  if (!response.later) return Answer(request, response, reply);
  const auto& route = *methods.Find(request.route->pattern);
  auto waiting = std::make_shared<WaitingCall>(*this, request, route.pushes);
  reply.later = [waiting, later = std::move(response.later)](std::shared_ptr<rpc::Later> call) {
    waiting->Await(std::move(call));
    later(net::LateAnswer(waiting));
  };
}

GrpcService::State::MethodMetrics& GrpcService::State::MetricsOf(const net::Request& request) {
  const net::Route* route = request.route;
  auto& of_method = threads[static_cast<size_t>(request.thread - options.first_thread)].of_method;
  MethodMetrics& metrics = route == nullptr ? of_method.back() : of_method[static_cast<size_t>(route->index)];
  if (std::exchange(metrics.ready, true)) return metrics;
  if (route != nullptr) {
    metrics.door = route->door;
    metrics.method = std::string_view(route->pattern).substr(1);
  }
  metrics.good = answered.With({metrics.door, metrics.method, StatusName(Status::kOk)});
  metrics.duration = durations.With({metrics.door, metrics.method});
  return metrics;
}

void GrpcService::State::Count(const net::Request& request, const net::Response& response) {
  const auto elapsed = base::Clock::System().Now() - request.received;
  const Status status = FailureOf(response).status;
  MethodMetrics& metrics = MetricsOf(request);
  if (status == Status::kOk) {
    metrics.good.Add();
  } else {
    answered.With({metrics.door, metrics.method, StatusName(status)}).Add();
  }
  metrics.duration.Observe(elapsed.count());
  options.on_answer(request, response, elapsed);
}

void GrpcService::State::Answer(net::Request& request, net::Response& response, rpc::Reply& reply) {
  options.before_answer(request, response);
  response.AddHeader("x-request-id", request.id);
  AddMetadata(response.header_text(), reply);
  Count(request, response);
  const Failure failure = FailureOf(response);
  const Route* route = request.route == nullptr ? nullptr : methods.Find(request.route->pattern);
  const bool in_band = route != nullptr && route->streams && !response.body.empty();
  if (failure.status != Status::kOk && !in_band) {
    reply.status = failure.status;
    reply.error = failure.error;
    return;
  }
  for (const auto& field : reply.metadata) {
    if (field.first == "slipway-fallback") reply.trailers.push_back(field);
  }
  reply.has_message = true;
  reply.message.swap(response.body);
}

void GrpcService::State::OnUnknown(const rpc::Call& call, rpc::Reply& reply) {
  Thread& thread = threads[static_cast<size_t>(call.thread)];
  Fill(call, nullptr, thread);
  ServiceCall(thread.request, thread.response)
      .Fail({base::Code::kUnimplemented, "grpc.no_method",
             "this server has no method of that name here; its services tell theirs by reflection", ""});
  Answer(thread.request, thread.response, reply);
}

void GrpcService::State::OnLoss(rpc::Loss loss, std::string_view, std::string_view peer) {
  constexpr std::string_view kReasons[] = {"reset", "too_large", "incomplete"};
  lost.With({kReasons[static_cast<size_t>(loss)]}).Add();
  if (loss == rpc::Loss::kReset) gate->CountReset(peer);
}

bool GrpcService::State::Decompress(std::string_view coding, std::string_view message, std::string& out,
                                    std::string& error) {
  const auto& limits = options.limits;
  const int64_t most = limits.decoded_bytes > 0 ? limits.decoded_bytes : limits.body_bytes;
  const auto decoder =
      net::ContentDecoder::Create(coding == "gzip" ? net::ContentCoding::kGzip : net::ContentCoding::kDeflate,
                                  {.decoded_bytes = most, .ratio = limits.decoded_ratio});
  if (decoder == nullptr) {
    error = "there is no memory left to decompress the message";
    return false;
  }
  out.clear();
  while (decoder->Decode(message, out, 1 << 20)) {
  }
  if (decoder->fault().status == 0 && decoder->Finish()) return true;
  error = decoder->fault().detail;
  return false;
}

rpc::TransportOptions GrpcService::State::Transport() const {
  const auto& limits = options.limits;
  rpc::TransportOptions transport{.threads = options.threads,
                                  .message_bytes = limits.body_bytes,
                                  .metadata_bytes = limits.head_bytes,
                                  .streams_per_connection = options.streams_per_connection,
                                  .memory_bytes = limits.memory_in_flight,
                                  .handshake_deadline = limits.header_deadline,
                                  .idle_timeout = limits.idle_timeout,
                                  .least_ping_interval = options.least_ping_interval};
  if (options.credentials != nullptr) {
    transport.credentials = [credentials = options.credentials] { return PemOf(*credentials); };
    transport.client_certificates = Wanted(options.credentials->Current()->client_auth());
  }
  return transport;
}

GrpcService::GrpcService(std::unique_ptr<State> state) : state_(std::move(state)) {}
GrpcService::~GrpcService() {
  Stop({});
}

base::Result<std::unique_ptr<GrpcService>> GrpcService::Start(GrpcServiceOptions options, MethodTable methods,
                                                              telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  auto state = std::make_unique<State>(std::move(options), std::move(methods), metrics, log);
  SLIPWAY_ASSIGN(state->gate,
                 rpc::Gate::Open(state->options.addresses, state->options.role, state->options.gate, metrics, log));
  SLIPWAY_ASSIGN(state->transport, rpc::OpenTransport(state->Transport(), *state));
  state->gate->Start([transport = state->transport.get()](int socket) { transport->Adopt(socket); },
                     state->options.on_tick);
  return std::unique_ptr<GrpcService>(new GrpcService(std::move(state)));
}

void GrpcService::Stop(std::chrono::nanoseconds timeout) {
  if (state_->gate != nullptr) state_->gate->Stop();
  if (state_->transport != nullptr) state_->transport->Stop(timeout);
}

void GrpcService::RunOnThreads(const std::function<void(int thread)>& task) {
  state_->transport->RunOnThreads([task, first = state_->options.first_thread](int thread) { task(first + thread); });
}

void GrpcService::SetLimits(const rpc::GateLimits& limits) {
  state_->gate->SetLimits(limits);
}

const std::vector<std::string>& GrpcService::addresses() const {
  return state_->gate->addresses();
}

}  // namespace slipway::serving::grpc
