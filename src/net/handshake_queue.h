#pragma once
// The TLS handshakes of one io thread: how many there may be, and how much of a turn they may take, so that a flood of
// them does not starve the requests of connections that stand.

#include <chrono>
#include <cstddef>
#include <list>
#include <string_view>

#include "base/clock.h"
#include "net/tls/session.h"
#include "telemetry/log.h"

namespace slipway::net {

class Connection;
class IoThread;
struct ServerContext;

/// Thread-safety: its io thread only.
class HandshakeQueue {
 public:
  using Place = std::list<Connection*>::iterator;

  explicit HandshakeQueue(IoThread& io);

  /// Past the limit, the connection that has waited longest is dropped: a client that means it is done in a moment.
  Place Enter(Connection& connection);
  void Leave(Place place);

  /// False once the handshakes of this turn have taken their share; what is left is ready again in the next turn.
  bool MayWork() const { return spent_ < kShareOfTurn; }
  void Spend(std::chrono::nanoseconds time) { spent_ += time; }
  void EndTurn() { spent_ = {}; }

  /// Counts an end, and logs it when it is a failure that tells an operator something, at most kLinesPerSecond.
  void Record(tls::HandshakeOutcome outcome, const tls::Session& session, std::string_view peer, base::SteadyTime now);

 private:
  static constexpr auto kShareOfTurn = std::chrono::milliseconds(1);
  static constexpr int kLinesPerSecond = 5;

  /// Of this thread's share of HttpLimits::handshakes.
  bool IsFull() const;

  IoThread& io_;
  ServerContext& context_;
  std::list<Connection*> waiting_;  ///< the longest first
  std::chrono::nanoseconds spent_{0};
  base::SteadyTime second_begun_;
  int lines_ = 0, skipped_ = 0;  ///< in this second; since the last line
};

}  // namespace slipway::net
