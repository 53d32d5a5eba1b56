#pragma once
// One io thread: its event loop, its acceptors, its connections, and the buffers that they share turn by turn.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/address_table.h"
#include "net/byte_buffer.h"
#include "net/content_coding.h"
#include "net/event_loop.h"
#include "net/handshake_queue.h"
#include "net/head_parser.h"
#include "net/http_server.h"

namespace slipway::net {

class Connection;

/// Handles of one route, or of requests that matched none.
struct RouteMetrics {
  std::array<telemetry::Counter, 6> answers;  ///< by status / 100
  telemetry::Histogram duration;
};

class IoThread;

/// What all io threads of a server see. Only the two counts change while it runs.
struct ServerContext {
  HttpServerOptions options;
  std::vector<std::vector<RouteMetrics>> route_metrics;  ///< per listener, by Route::index
  RouteMetrics unrouted;
  std::optional<telemetry::CounterFamily> refusals;
  telemetry::Counter accepted;
  telemetry::Gauge open;
  telemetry::Gauge waiting;
  telemetry::Gauge held;
  telemetry::Gauge held_limit;
  std::array<telemetry::Counter, tls::kHandshakeOutcomes> handshake_outcomes;
  telemetry::Gauge handshaking;
  telemetry::Histogram loop_lag;
  std::vector<IoThread*> threads;
  AddressTable addresses;
  alignas(64) std::atomic<int> connections{0};
  alignas(64) std::atomic<int> in_flight{0};  ///< requests that outlast the turn in which they began

  void RegisterMetrics();
};

/// The request and response at hand. One per thread: a request lives within one turn of the loop, and is read again
/// from its bytes when its body came later.
struct Exchange {
  RequestHead head;
  Request request;
  Response response;
  RouteTable::Match match;
  HttpFault fault;  ///< what routing found wrong
  std::array<char, 32> own_id{};
  std::string head_text;
  std::string coded;  ///< the content in its content coding
};

/// Thread-safety: Run() on its own thread; WindDown(), BeginDrain() and Change() from any.
class IoThread final : private EventLoop::Owner {
 public:
  static base::Result<std::unique_ptr<IoThread>> Create(ServerContext& context, int index);
  ~IoThread() override;

  /// What becomes of the connections that a listening socket brings: kept, or dealt out among all threads in turn.
  enum class Dealing : uint8_t { kKeep, kDeal };
  /// Takes a listening socket over. Before Run().
  base::Result<void> AddListener(Descriptor socket, size_t listener, Dealing dealing);
  /// Serves until drained.
  void Run();
  void WindDown();
  void BeginDrain();
  void Change(std::shared_ptr<const HttpConduct> conduct);
  /// For tests that step a thread by hand instead of calling Run(): takes a connected socket, and one turn.
  void Adopt(Descriptor socket, size_t listener) { Admit(std::move(socket), "", listener); }
  bool Turn() { return loop_->Turn(*this, 0); }

  // For connections, on this thread.
  ServerContext& context() { return context_; }
  /// Views into these are for one turn: they change between turns.
  const HttpConduct& conduct() const { return conduct_; }
  const HttpLimits& limits() const { return conduct_.limits; }
  EventLoop& loop() { return *loop_; }
  Exchange& exchange() { return exchange_; }
  ByteBuffer& scratch() { return scratch_; }
  ContentEncoder& encoder() { return encoder_; }
  int index() const { return index_; }
  bool winding_down() const { return winding_down_; }
  bool draining() const { return draining_; }
  /// "Date: …\r\n", at most a second old.
  std::string_view DateLine();
  void CountRefusal(std::string_view code);
  /// Calls connection.OnLater() at the end of this turn's or the next turn's events, without waiting for any.
  void GoOnLater(Connection& connection) { later_.push_back(&connection); }
  /// Takes a closed connection; it is destroyed at the end of the turn.
  void Bury(Connection& connection);
  HandshakeQueue& handshakes() { return handshakes_; }
  /// Counts bytes that a connection has come to hold, or holds no longer.
  void Hold(int64_t bytes);
  /// Whether all threads' connections together may hold `more` bytes. Reads what the others have written, so it is
  /// asked only by those who want much.
  bool MayHold(int64_t more) const;

 private:
  class Acceptor;
  IoThread(ServerContext& context, int index, std::unique_ptr<EventLoop> loop);
  bool Accept(Acceptor& acceptor);
  void Deal(Descriptor socket, std::string peer, Acceptor& acceptor);
  void Admit(Descriptor socket, std::string peer, size_t listener);
  void TurnAway(const Descriptor& socket, bool plain, std::string_view code, std::string_view answer);
  void Drain();
  bool OnTurnEnd() override;
  void OnTick(base::SteadyTime now, std::chrono::nanoseconds late) override;
  bool Busy() const override { return !later_.empty(); }
  bool WantsTicks() const override { return draining_ || paused_ || !connections_.empty(); }

  ServerContext& context_;
  const int index_;
  HttpConduct conduct_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> buried_;
  Exchange exchange_;
  ByteBuffer scratch_;
  ContentEncoder encoder_;
  std::vector<Connection*> later_, going_on_;
  std::string date_line_;
  base::SteadyTime date_until_;
  std::vector<std::pair<std::string_view, telemetry::Counter>> refusals_;
  HandshakeQueue handshakes_;
  alignas(64) std::atomic<int64_t> held_{0};  ///< written by this thread only, read by all
  bool winding_down_ = false;                 ///< answers end their connections
  bool draining_ = false;
  bool paused_ = false;  ///< not accepting for a tick, for want of descriptors
  base::SteadyTime drain_until_;
};

}  // namespace slipway::net
