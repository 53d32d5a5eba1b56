#include "net/io_thread.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "net/connection.h"

namespace slipway::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr size_t kTurnedAwayBytes = 64 << 10;
constexpr std::string_view kTooManyOfYours =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
constexpr std::string_view kNoRoom =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";

/// Deadlines are looked at this often: a quarter of the shortest, so that none is late by much.
std::chrono::nanoseconds TickOf(const HttpLimits& limits) {
  const auto shortest = std::min({limits.header_deadline, limits.body_deadline, limits.body_rate_window,
                                  limits.write_deadline, limits.idle_timeout, limits.linger});
  return std::clamp<std::chrono::nanoseconds>(shortest / 4, std::chrono::milliseconds(1),
                                              std::chrono::milliseconds(100));
}

}  // namespace

class IoThread::Acceptor final : public Watcher {
 public:
  Acceptor(IoThread& io, Descriptor socket, size_t listener, Dealing dealing)
      : Watcher(Turn::kFirst), io_(io), socket(std::move(socket)), listener(listener), dealing(dealing) {}
  void OnReady(uint32_t) override { io_.Accept(*this); }

 private:
  IoThread& io_;

 public:
  Descriptor socket;
  const size_t listener;
  const Dealing dealing;
  size_t dealt = 0;
};

base::Result<std::unique_ptr<IoThread>> IoThread::Create(ServerContext& context, int index) {
  SLIPWAY_ASSIGN(auto loop, EventLoop::Create());
  return std::unique_ptr<IoThread>(new IoThread(context, index, std::move(loop)));
}

IoThread::IoThread(ServerContext& context, int index, std::unique_ptr<EventLoop> loop)
    : context_(context), index_(index), conduct_(context.options.conduct), loop_(std::move(loop)), handshakes_(*this) {}

IoThread::~IoThread() {
  while (!connections_.empty()) connections_.back()->Close();
}

base::Result<void> IoThread::AddListener(Descriptor socket, size_t listener, Dealing dealing) {
  auto acceptor = std::make_unique<Acceptor>(*this, std::move(socket), listener, dealing);
  SLIPWAY_TRY(loop_->Watch(acceptor->socket.get(), EPOLLIN, *acceptor));
  acceptors_.push_back(std::move(acceptor));
  return {};
}

void IoThread::Run() {
  loop_->Run(*this, TickOf(limits()));
}

/// True when more connections may be waiting.
bool IoThread::Accept(Acceptor& acceptor) {
  for (int i = 0; i < kAcceptsPerTurn && acceptor.socket.valid(); ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor socket(
        ::accept4(acceptor.socket.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      Deal(std::move(socket), PeerName(address), acceptor);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK && !paused_) {
      // Out of descriptors or memory. The listener stays readable, so looking away is all that keeps the loop from
      // spinning.
      CountRefusal("http.no_descriptors");
      paused_ = true;
      for (const auto& other : acceptors_) loop_->Rearm(other->socket.get(), 0, *other);
    }
    return false;
  }
  return acceptor.socket.valid();
}

void IoThread::Deal(Descriptor socket, std::string peer, Acceptor& acceptor) {
  IoThread* target = this;
  if (acceptor.dealing == Dealing::kDeal && !draining_) {
    target = context_.threads[acceptor.dealt++ % context_.threads.size()];
  }
  if (target == this) {
    Admit(std::move(socket), std::move(peer), acceptor.listener);
    return;
  }
  // Shared, since tasks are copied; a task that never runs closes the socket with its mailbox.
  auto carried = std::make_shared<Descriptor>(std::move(socket));
  target->loop_->Post([target, carried, peer = std::move(peer), listener = acceptor.listener] {
    target->Admit(std::move(*carried), peer, listener);
  });
}

/// Answers (a TLS peer would not understand) and closes. What the client has sent already is taken off first: closing
/// with bytes unread would reset the connection, and the answer might be lost.
void IoThread::TurnAway(const Descriptor& socket, bool plain, std::string_view code, std::string_view answer) {
  CountRefusal(code);
  if (!plain) return;
  scratch_.Reserve(kTurnedAwayBytes);
  ::recv(socket.get(), scratch_.tail(), scratch_.free(), MSG_DONTWAIT);
  ::send(socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void IoThread::Admit(Descriptor socket, std::string peer, size_t listener) {
  const tls::Credentials* credentials = context_.options.listeners[listener].credentials;
  if (context_.connections.fetch_add(1, std::memory_order_relaxed) >= limits().connections) {
    context_.connections.fetch_sub(1, std::memory_order_relaxed);
    TurnAway(socket, credentials == nullptr, "http.too_many_connections", kNoRoom);
    return;
  }
  const int most = limits().connections_per_address;
  // Without a bound nobody is counted, not even for a bound that comes later: it holds for connections from then on.
  const AddressKey address = most > 0 ? AddressKey::Of(peer) : AddressKey();
  if (most > 0 && !context_.addresses.Enter(address, most)) {
    context_.connections.fetch_sub(1, std::memory_order_relaxed);
    TurnAway(socket, credentials == nullptr, "http.too_many_connections_of_address", kTooManyOfYours);
    return;
  }
  SetNoDelay(socket);
  const int number = socket.get();
  std::unique_ptr<tls::Session> session;
  if (credentials != nullptr && (session = tls::Session::Accept(*credentials->Current(), number)) == nullptr) {
    if (most > 0) context_.addresses.Leave(address);
    context_.connections.fetch_sub(1, std::memory_order_relaxed);
    CountRefusal("tls.no_memory");
    return;
  }
  auto connection =
      std::make_unique<Connection>(*this, Transport(std::move(socket), std::move(session)), std::move(peer), listener);
  connection->place = connections_.size();
  connection->address = address;
  Connection& opened = *connections_.emplace_back(std::move(connection));
  context_.accepted.Add();
  context_.open.Add(1);
  if (!loop_->Watch(number, EPOLLIN, opened)) opened.Close();
  if (draining_) opened.OnDrain();  // dealt out before the drain began
}

void IoThread::Bury(Connection& connection) {
  const size_t place = connection.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  buried_.push_back(std::move(connections_.back()));
  connections_.pop_back();
  context_.addresses.Leave(connection.address);
  context_.connections.fetch_sub(1, std::memory_order_relaxed);
  context_.open.Subtract(1);
}

void IoThread::Hold(int64_t bytes) {
  held_.store(held_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  context_.held.Add(bytes);
}

bool IoThread::MayHold(int64_t more) const {
  if (limits().memory_in_flight <= 0) return true;
  for (const IoThread* thread : context_.threads) more += thread->held_.load(std::memory_order_relaxed);
  return more <= limits().memory_in_flight;
}

void IoThread::WindDown() {
  loop_->Post([this] { winding_down_ = true; });
}

void IoThread::BeginDrain() {
  loop_->Post([this] { Drain(); });
}

void IoThread::Change(std::shared_ptr<const HttpConduct> conduct) {
  loop_->Post([this, conduct = std::move(conduct)] {
    conduct_ = *conduct;
    loop_->SetTick(TickOf(limits()));
  });
}

void IoThread::Drain() {
  if (std::exchange(draining_, true)) return;
  winding_down_ = true;
  drain_until_ = loop_->now() + conduct_.drain_timeout;
  for (const auto& acceptor : acceptors_) {
    loop_->Forget(acceptor->socket.get());
    // Connections that the kernel has accepted already: no more than its queue holds, whoever goes on connecting.
    int queued = context_.options.listeners[acceptor->listener].backlog;
    while (queued > 0 && Accept(*acceptor)) queued -= kAcceptsPerTurn;
    acceptor->socket.Close();
  }
  for (size_t i = connections_.size(); i-- > 0;) connections_[i]->OnDrain();
}

bool IoThread::OnTurnEnd() {
  going_on_.swap(later_);
  for (Connection* connection : going_on_) connection->OnLater();  // those closed meanwhile are still buried here
  going_on_.clear();
  if (!buried_.empty()) std::erase_if(later_, [](const Connection* connection) { return connection->closed(); });
  buried_.clear();
  handshakes_.EndTurn();
  return !draining_ || !connections_.empty();
}

void IoThread::OnTick(base::SteadyTime now, std::chrono::nanoseconds late) {
  if (context_.options.loop_lag != nullptr) context_.options.loop_lag->Record(index_, now, late);
  context_.loop_lag.Observe(late.count());
  if (std::exchange(paused_, false)) {
    for (const auto& acceptor : acceptors_) {
      if (acceptor->socket.valid()) loop_->Rearm(acceptor->socket.get(), EPOLLIN, *acceptor);
    }
  }
  const bool cut = draining_ && now >= drain_until_;
  // From the back: closing moves the last one, which has been visited, into the gap.
  for (size_t i = connections_.size(); i-- > 0;) {
    if (cut) {
      connections_[i]->Close();
    } else {
      connections_[i]->OnTick(now);
    }
  }
}

std::string_view IoThread::DateLine() {
  if (loop_->now() >= date_until_) {
    date_until_ = loop_->now() + std::chrono::milliseconds(200);
    const std::time_t now = std::chrono::system_clock::to_time_t(base::Clock::System().WallNow());
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    const size_t size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    date_line_.assign(text.data(), size);
  }
  return date_line_;
}

void IoThread::CountRefusal(std::string_view code) {
  if (!context_.refusals) return;
  // Codes are literals: comparing addresses is enough, and a copy of one only costs an entry.
  auto known = std::ranges::find(refusals_, code.data(), [](const auto& entry) { return entry.first.data(); });
  if (known == refusals_.end()) {
    refusals_.emplace_back(code, context_.refusals->With({code}));
    known = std::prev(refusals_.end());
  }
  known->second.Add();
}

}  // namespace slipway::net
