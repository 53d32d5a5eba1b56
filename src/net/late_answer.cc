#include "net/late_answer.h"

#include <utility>

#include "net/connection.h"
#include "net/event_loop.h"

namespace slipway::net {

/// What the copies share.
struct LateAnswer::Handle {
  explicit Handle(std::shared_ptr<State> waiting) : state(std::move(waiting)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { State::Post(state, nullptr); }
  const std::shared_ptr<State> state;
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

void LateAnswer::State::Post(const std::shared_ptr<State>& state, Fill fill) {
  // Posting under the mutex: the loop lives at least until the connection has been abandoned.
  const std::lock_guard lock(state->mutex);
  EventLoop* loop = std::exchange(state->loop, nullptr);
  if (loop == nullptr) return;
  loop->Post([state, fill = std::move(fill)] {
    if (Connection* connection = std::exchange(state->waiting, nullptr)) connection->FinishLate(fill);
  });
}

LateAnswer::LateAnswer(std::shared_ptr<State> state) : handle_(std::make_shared<const Handle>(std::move(state))) {}

void LateAnswer::Finish(Fill fill) const {
  State::Post(handle_->state, std::move(fill));
}

const Request& LateAnswer::request() const {
  return handle_->state->kept->exchange.request;
}

std::stop_token LateAnswer::abandoned() const {
  return handle_->state->stop.get_token();
}

}  // namespace slipway::net
