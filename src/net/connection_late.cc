// Answers that come later: the request moves out of the thread's buffers, and the connection waits for whoever took it.

#include <sys/epoll.h>

#include <utility>

#include "net/connection.h"

namespace slipway::net {

void Connection::PutOff(ByteBuffer& buffer) {
  const Exchange& found = exchange();
  auto later = found.response.later;
  auto late = std::make_unique<Late>();
  LateAnswer::Kept& kept = *late->kept;
  kept.body.reserve(found.request.body.size() + ByteBuffer::kPadding);
  kept.body = found.request.body;
  const auto received = found.request.received;
  const auto own_id = found.own_id;
  late_ = std::move(late);
  Outlast(buffer.view().substr(0, head_bytes_), kept);
  Exchange& exchange = kept.exchange;
  exchange.own_id = own_id;
  exchange.request.received = received;
  exchange.request.body = kept.body;
  buffer.Consume(head_bytes_ + (body_ != nullptr ? 0 : content_length_));
  body_.reset();
  state_ = State::kLate;
  deadline_ = base::SteadyTime::max();  // who took the request sees to its time
  SetWaiting(true);
  WaitFor(EPOLLRDHUP);
  AwaitLate(later);
}

/// Puts the request with that head into `kept`, whose exchange is the one at hand: it looks at nothing of the
/// connection's any more.
void Connection::Outlast(std::string_view head, LateAnswer::Kept& kept) {
  kept.head = head;
  kept.peer = peer_;
  if (transport_.peer() != nullptr) kept.identity = *transport_.peer();
  ReadAgain(kept.head);
  kept.exchange.request.remote_address = kept.peer;
  kept.exchange.request.peer_identity = kept.identity ? &*kept.identity : nullptr;
}

void Connection::AwaitLate(const std::function<void(LateAnswer)>& later) {
  late_->state = LateAnswer::Await(*this, io_.loop(), late_->kept);
  later(LateAnswer(late_->state));
}

/// The peer will not read an answer; what it sent behind this request nobody needs then.
void Connection::OnLateReady(uint32_t events) {
  if ((events & static_cast<uint32_t>(EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) Close();
}

void Connection::AbandonLate() {
  late_->kept->exchange.response.status = 499;
  Count();
  std::exchange(late_, nullptr)->state->Abandon();
}

void Connection::FinishLate(const LateAnswer::Fill& fill) {
  if (state_ == State::kStream) {
    GoOnWithStream(fill);
    return;
  }
  Exchange& exchange = late_->kept->exchange;
  exchange.response.Clear();
  if (fill) {
    CallSafely([&] { fill(exchange.request, exchange.response); });
  } else {
    FailHandler("the answer was put off and never came");
  }
  if (exchange.response.later) {
    AwaitLate(exchange.response.later);
    return;
  }
  SetWaiting(false);
  state_ = State::kHead;
  Send(EndsAfterThis(), !in_.empty());
  late_.reset();
  if (state_ != State::kHead) return;
  BecomeIdle();
  WaitFor(ReadEvents());
  if (in_.empty()) return;
  GoOnLater();  // with requests that arrived behind this one
}

}  // namespace slipway::net
