#include "rpc/gate.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>
#include <variant>

namespace slipway::rpc {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;
constexpr int kSweepMilliseconds = 500;

/// What no other socket of this boot has; 0 when the descriptor is no socket any more.
uint64_t CookieOf(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace

bool ResetAllowance::Take(base::SteadyTime now, int per_second) {
  if (per_second <= 0) return true;
  const double passed = std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  spent_ = std::max(0.0, spent_ - passed * per_second) + 1;
  return spent_ <= kSeconds * per_second;
}

Gate::Gate(std::string_view role, const GateLimits& limits, telemetry::MetricRegistry& metrics, telemetry::Log& log)
    : log_(log),
      role_(role),
      refused_(metrics.AddCounter({"slipway_grpc_connections_refused_total",
                                   "gRPC connections that were not let in, by reason.",
                                   {"listener", "reason"}})),
      limits_(limits) {
  accepted_ =
      metrics
          .AddCounter({"slipway_grpc_connections_accepted_total", "gRPC connections that were let in.", {"listener"}})
          .With({role});
  flooded_ = metrics
                 .AddCounter({"slipway_grpc_connections_cut_total",
                              "gRPC connections that were cut for taking back too many calls.",
                              {"listener"}})
                 .With({role});
  open_ = metrics.AddGauge({"slipway_grpc_connections", "gRPC connections that are open.", {"listener"}}).With({role});
}

base::Result<std::unique_ptr<Gate>> Gate::Open(const std::vector<std::string>& addresses, std::string_view role,
                                               const GateLimits& limits, telemetry::MetricRegistry& metrics,
                                               telemetry::Log& log) {
  std::unique_ptr<Gate> gate(new Gate(role, limits, metrics, log));
  gate->wake_ = net::Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!gate->wake_.valid()) return std::unexpected(net::SystemError("net.listen", "eventfd"));
  for (const std::string& address : addresses) SLIPWAY_TRY(gate->Listen(address));
  return gate;
}

base::Result<void> Gate::Listen(const std::string& text) {
  SLIPWAY_ASSIGN(net::ListenAddress address, net::ListenAddress::Parse(text));
  if (auto* tcp = std::get_if<net::TcpAddress>(&address.where)) {
    SLIPWAY_ASSIGN(net::Descriptor socket, net::Listen(*tcp, kBacklog, false));
    if (tcp->port == 0) tcp->port = net::LocalPort(socket);
    addresses_.push_back(tcp->ToString());
    listeners_.push_back(std::move(socket));
  } else if (const auto* local = std::get_if<net::UnixAddress>(&address.where)) {
    SLIPWAY_ASSIGN(net::UnixListener opened, net::UnixListener::Listen(*local, kBacklog));
    listeners_.push_back(opened.TakeSocket());
    unix_listeners_.push_back(std::move(opened));
    addresses_.push_back("unix:" + local->path);
  } else {
    SLIPWAY_ASSIGN(net::Descriptor socket, net::TakeInherited(std::get<net::InheritedAddress>(address.where)));
    listeners_.push_back(std::move(socket));
    addresses_.push_back(text);
  }
  return {};
}

Gate::~Gate() {
  Stop();
}

void Gate::Start(std::function<void(int socket)> admit, std::function<void()> tick) {
  admit_ = std::move(admit);
  tick_ = std::move(tick);
  thread_ = std::thread([this] { Run(); });
}

void Gate::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
  unix_listeners_.clear();  // a successor may listen there at once
  listeners_.clear();
}

void Gate::SetLimits(const GateLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

void Gate::Run() {
  std::vector<pollfd> watched = {{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  for (const auto& listener : listeners_) watched.push_back({.fd = listener.get(), .events = POLLIN, .revents = 0});
  while (!stopping_) {
    ::poll(watched.data(), watched.size(), kSweepMilliseconds);
    for (size_t i = 0; i < listeners_.size(); ++i) {
      if (watched[i + 1].revents != 0) Accept(listeners_[i]);
    }
    tick_();
    const std::lock_guard lock(mutex_);
    Sweep();
  }
}

void Gate::Accept(const net::Descriptor& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    net::Descriptor socket(
        ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      Admit(std::move(socket), net::PeerName(address));
    } else if (errno != EINTR && errno != ECONNABORTED) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      // Out of descriptors or memory: the listener stays readable, so look away for a while.
      Refuse("no_descriptors");
      pollfd wake = {.fd = wake_.get(), .events = POLLIN, .revents = 0};
      ::poll(&wake, 1, kSweepMilliseconds / 5);
      return;
    }
  }
}

void Gate::Admit(net::Descriptor socket, std::string peer) {
  const net::AddressKey key = net::AddressKey::Of(peer);
  const uint64_t cookie = CookieOf(socket.get());
  if (peer.empty() || peer == "unix") peer = "unix:" + std::to_string(cookie);
  {
    const std::lock_guard lock(mutex_);
    if (std::ssize(connections_) >= limits_.connections) Sweep();
    if (std::ssize(connections_) >= limits_.connections) return Refuse("too_many");
    const int of_address = limits_.connections_per_address > 0 ? limits_.connections_per_address : INT_MAX;
    if (!table_.Enter(key, of_address)) {
      Sweep();
      if (!table_.Enter(key, of_address)) return Refuse("too_many_of_address");
    }
    // A peer's name comes again when its last connection has gone.
    const auto [old, fresh] = connections_.try_emplace(peer, Connection{socket.get(), cookie, key, {}});
    if (!fresh) {
      table_.Leave(old->second.key);
      old->second = {socket.get(), cookie, key, {}};
    }
    open_.Set(static_cast<double>(connections_.size()));
  }
  net::SetNoDelay(socket);
  accepted_.Add();
  admit_(socket.Release());
}

void Gate::Refuse(std::string_view reason) {
  refused_.With({role_, reason}).Add();
}

/// Forgets those that have been closed.
void Gate::Sweep() {
  const size_t before = connections_.size();
  std::erase_if(connections_, [&](const auto& entry) {
    if (CookieOf(entry.second.socket) == entry.second.cookie) return false;
    table_.Leave(entry.second.key);
    return true;
  });
  if (connections_.size() != before) open_.Set(static_cast<double>(connections_.size()));
}

void Gate::CountReset(std::string_view peer) {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(std::string(peer));
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (connection.resets.Take(base::Clock::System().Now(), limits_.resets_per_second)) return;
  if (CookieOf(connection.socket) == connection.cookie) ::shutdown(connection.socket, SHUT_RDWR);
  flooded_.Add();
  log_.Line(telemetry::LogLevel::kWarning, "grpc.connection_cut")
      .Add("remote", peer)
      .Add("message", "the client takes back more calls than --max-grpc-resets allows");
  table_.Leave(connection.key);
  connections_.erase(found);
  open_.Set(static_cast<double>(connections_.size()));
}

}  // namespace slipway::rpc
