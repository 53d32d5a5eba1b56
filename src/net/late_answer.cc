#include "net/late_answer.h"

#include <utility>

#include "net/connection.h"
#include "net/event_loop.h"

namespace slipway::net {

/// What the copies share.
struct LateAnswer::Handle {
  explicit Handle(std::shared_ptr<Waiting> asker) : waiting(std::move(asker)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { waiting->Post(nullptr); }
  const std::shared_ptr<Waiting> waiting;
};

std::shared_ptr<LateAnswer::State> LateAnswer::Await(Connection& connection, EventLoop& loop,
                                                     std::shared_ptr<const Kept> kept) {
  auto state = std::make_shared<State>();
  state->kept = std::move(kept);
  state->waiting = &connection;
  state->loop = &loop;
  return state;
}

void LateAnswer::State::Abandon() {
  waiting = nullptr;
  {
    const std::lock_guard lock(mutex);
    loop = nullptr;
  }
  stop.request_stop();
}

void LateAnswer::State::Post(Fill fill) {
  // Posting under the mutex: the loop lives at least until the connection has been abandoned.
  const std::lock_guard lock(mutex);
  EventLoop* target = std::exchange(loop, nullptr);
  if (target == nullptr) return;
  target->Post([state = shared_from_this(), fill = std::move(fill)] {
    if (Connection* connection = std::exchange(state->waiting, nullptr)) connection->FinishLate(fill);
  });
}

const Request& LateAnswer::State::request() const {
  return kept->exchange.request;
}

LateAnswer::LateAnswer(std::shared_ptr<Waiting> waiting)
    : handle_(std::make_shared<const Handle>(std::move(waiting))) {}

void LateAnswer::Finish(Fill fill) const {
  handle_->waiting->Post(std::move(fill));
}

const Request& LateAnswer::request() const {
  return handle_->waiting->request();
}

std::stop_token LateAnswer::abandoned() const {
  return handle_->waiting->abandoned();
}

}  // namespace slipway::net
