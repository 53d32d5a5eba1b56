#include "net/handshake_queue.h"

#include <algorithm>
#include <utility>

#include "net/connection.h"
#include "net/io_thread.h"

namespace slipway::net {

using tls::HandshakeOutcome;

HandshakeQueue::HandshakeQueue(IoThread& io) : io_(io), context_(io.context()) {}

bool HandshakeQueue::IsFull() const {
  const int share = io_.limits().handshakes / static_cast<int>(std::max<size_t>(context_.threads.size(), 1));
  return std::cmp_greater_equal(waiting_.size(), std::max(1, share));
}

HandshakeQueue::Place HandshakeQueue::Enter(Connection& connection) {
  while (!waiting_.empty() && IsFull()) waiting_.front()->GiveUpHandshake(HandshakeOutcome::kCrowded);
  context_.handshaking.Add(1);
  return waiting_.insert(waiting_.end(), &connection);
}

void HandshakeQueue::Leave(Place place) {
  waiting_.erase(place);
  context_.handshaking.Subtract(1);
}

void HandshakeQueue::Record(HandshakeOutcome outcome, const tls::Session& session, std::string_view peer,
                            base::SteadyTime now) {
  context_.handshake_outcomes[static_cast<size_t>(outcome)].Add();
  const bool good = outcome == HandshakeOutcome::kFull || outcome == HandshakeOutcome::kResumed;
  // Probes of balancers and scanners that come and go are no news.
  if (good || outcome == HandshakeOutcome::kClosed || context_.options.log == nullptr) return;
  if (now - second_begun_ >= std::chrono::seconds(1)) {
    second_begun_ = now;
    lines_ = 0;
  }
  if (++lines_ > kLinesPerSecond) {
    ++skipped_;
    return;
  }
  auto line = context_.options.log->Line(telemetry::LogLevel::kWarning, "tls.handshake_failed");
  line.Add("reason", tls::HandshakeOutcomeName(outcome)).Add("remote_address", peer);
  if (!session.failure().empty()) line.Add("detail", session.failure());
  if (!session.refused_subject().empty()) line.Add("certificate", session.refused_subject());
  if (skipped_ > 0) line.Add("skipped", std::exchange(skipped_, 0));
}

}  // namespace slipway::net
