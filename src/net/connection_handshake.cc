// The part of a connection that agrees on TLS, and ends it.

#include <sys/epoll.h>

#include "net/connection.h"

namespace slipway::net {
namespace {

using tls::HandshakeOutcome;

constexpr HttpFault kPlainHttp = {400, "http.not_https",
                                  "this port speaks https, and the request came in the clear; use https:// instead of "
                                  "http:// in the address"};

}  // namespace

void Connection::Handshake() {
  if (!io_.handshakes().MayWork()) return;  // ready again in the next turn
  const auto begun = base::Clock::System().Now();
  const auto progress = transport_.tls()->Handshake();
  io_.handshakes().Spend(base::Clock::System().Now() - begun);
  switch (progress) {
    case tls::Session::Progress::kWantsRead:
      WaitFor(EPOLLIN);
      return;
    case tls::Session::Progress::kWantsWrite:
      WaitFor(EPOLLOUT);
      return;
    case tls::Session::Progress::kFailed:
      EndHandshake(transport_.tls()->outcome());
      return;
    case tls::Session::Progress::kDone:
      EndHandshake(transport_.tls()->outcome());
      break;
  }
}

void Connection::GiveUpHandshake(HandshakeOutcome outcome) {
  io_.handshakes().Record(outcome, *transport_.tls(), peer_, io_.loop().now());
  Close();
}

void Connection::EndHandshake(HandshakeOutcome outcome) {
  io_.handshakes().Leave(handshake_place_);
  state_ = State::kHead;
  deadline_ = io_.loop().now() + io_.limits().idle_timeout;
  if (io_.draining()) OnDrain();
  io_.handshakes().Record(outcome, *transport_.tls(), peer_, io_.loop().now());
  if (outcome == HandshakeOutcome::kFull || outcome == HandshakeOutcome::kResumed) {
    Receive();  // the request may have come with the end of the handshake
  } else if (outcome == HandshakeOutcome::kPlainHttp) {
    transport_.DropTls();
    BeginExchange();
    Refuse(kPlainHttp);
  } else if (outcome == HandshakeOutcome::kClosed) {
    Close();
  } else {
    Linger();  // the alert that says why must arrive
  }
}

/// Closing with bytes unread would reset the connection, and the peer might never see the answer.
void Connection::Linger() {
  transport_.ShutDown();
  WaitFor(EPOLLIN);
  state_ = State::kLingering;
  deadline_ = io_.loop().now() + io_.limits().linger;
}

void Connection::WaitFor(uint32_t events) {
  if (std::exchange(awaited_, events) != events) io_.loop().Rearm(transport_.descriptor(), events, *this);
}

}  // namespace slipway::net
