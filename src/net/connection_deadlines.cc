// What may last how long: what becomes of a connection when its time is up, and in a drain.

#include "net/connection.h"

namespace slipway::net {
namespace {

/// In a drain, for a new connection to send its first request.
constexpr auto kFirstRequest = std::chrono::seconds(1);

constexpr HttpFault kHeadTimeout = {408, "http.header_timeout", "the request head did not arrive in time"};
constexpr HttpFault kBodyTimeout = {408, "http.body_timeout", "the request body did not arrive in time"};
constexpr HttpFault kTooSlow = {408, "http.body_too_slow", "the request body arrives too slowly"};

}  // namespace

void Connection::StartRate() {
  rate_since_ = io_.loop().now();
  rate_bytes_ = 0;
}

/// Judges the last window, if one has ended.
bool Connection::IsTooSlow(base::SteadyTime now) {
  const HttpLimits& limits = io_.limits();
  if (limits.body_rate <= 0 || now - rate_since_ < limits.body_rate_window) return false;
  const double seconds = std::chrono::duration<double>(now - rate_since_).count();
  if (static_cast<double>(rate_bytes_) < seconds * static_cast<double>(limits.body_rate)) return true;
  rate_since_ = now;
  rate_bytes_ = 0;
  return false;
}

void Connection::OnTick(base::SteadyTime now) {
  if (idle_ && in_.empty() && in_.capacity() > 0) in_.Release();
  CheckDeadlines(now);
  CountHeld();
}

void Connection::CheckDeadlines(base::SteadyTime now) {
  if (state_ == State::kStream) {
    OnStreamTick(now);
    return;
  }
  if (state_ == State::kBody && IsTooSlow(now)) {
    ReadAgain(in_.view());
    Refuse(kTooSlow);
    return;
  }
  if (now < deadline_) return;
  const bool begun = !in_.empty() && in_.view() != "\r\n";  // which some clients send behind a request
  if (state_ == State::kHandshake) {
    GiveUpHandshake(tls::HandshakeOutcome::kTimeout);
  } else if (state_ == State::kHead && begun) {
    BeginExchange();
    Refuse(kHeadTimeout);
  } else if (state_ == State::kBody) {
    ReadAgain(in_.view());
    Refuse(kBodyTimeout);
  } else if (state_ == State::kHead && transport_.IsReadable()) {
    return;  // its request came in this turn, or waits for its own: closing would reset the connection
  } else {
    Close();
  }
}

void Connection::OnDrain() {
  const bool between = state_ == State::kHead && in_.empty();
  if (state_ == State::kHandshake || (between && !idle_)) {
    // Who has just connected has a request under way, and takes it for accepted.
    deadline_ = std::min(deadline_, io_.loop().now() + kFirstRequest);
    idle_ = state_ == State::kHead;  // its head gets its own time once it begins
  } else if (between && !transport_.IsReadable()) {
    Close();
  }
}

}  // namespace slipway::net
