#include "engine/batching/batcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/batching/rows.h"

namespace slipway::engine {
namespace {

using base::Code;
using base::Fail;

constexpr int64_t kRetryTogether = 64;  ///< chances after which company that did not pay is tried again

int64_t Nanoseconds(base::SteadyTime from, base::SteadyTime to) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count();
}

}  // namespace

/// One call of Lane::Run.
struct Batcher::Call {
  std::span<const TensorView> inputs;
  std::span<Tensor> outputs;
  base::Deadline deadline;
  int priority = 0;
  int64_t rows = 0;

  State state = State::kWaiting;
  bool left = false;  ///< its thread waits no more
  bool shared = false;
  int64_t ran = 0;         ///< nanoseconds, by another thread
  base::SteadyTime given;  ///< when it was given its session
  Session* session = nullptr;
  base::Result<void> result;
  std::condition_variable_any changed;

  bool settled() const { return state == State::kFirst || state == State::kDone; }
  bool MayLeave() const { return state != State::kPinned && (deadline.Expired() || deadline.Stopped()); }
};

/// Calls that share a run.
struct Batcher::Crowd {
  std::vector<std::shared_ptr<Call>> calls;
  int64_t rows = 0;
  std::vector<JoinedInput> joined;
  std::vector<TensorView> inputs;
  std::vector<Tensor> outputs;
  base::Deadline deadline;
};

std::shared_ptr<Batcher> Batcher::Create(BatcherOptions options, std::vector<std::unique_ptr<Session>> sessions) {
  return std::shared_ptr<Batcher>(new Batcher(options, std::move(sessions)));
}

Batcher::Batcher(BatcherOptions options, std::vector<std::unique_ptr<Session>> sessions)
    : options_(options), sessions_(std::move(sessions)) {
  for (const auto& session : sessions_) idle_.push_back(session.get());
}
Batcher::~Batcher() = default;

std::unique_ptr<Batcher::Lane> Batcher::NewSession() {
  return std::unique_ptr<Lane>(new Lane(shared_from_this()));
}

base::Result<void> Batcher::Lane::Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                                      const base::Deadline& deadline) {
  return batcher_->Run(inputs, outputs, deadline, *this);
}

void Batcher::Lane::Expect(int64_t rows) {
  if (rows == expected_) return;
  const std::lock_guard lock(batcher_->mutex_);
  batcher_->expected_ += rows - std::exchange(expected_, rows);
}

double Batcher::Lane::ExpectedOfOthers() const {
  const std::lock_guard lock(batcher_->mutex_);
  return batcher_->pace_.Of(batcher_->expected_ - expected_) / static_cast<double>(batcher_->sessions_.size());
}

double Batcher::CostOf(int64_t rows) const {
  const std::lock_guard lock(mutex_);
  return pace_.Of(rows);
}

Batcher::Reading Batcher::Read() const {
  const std::lock_guard lock(mutex_);
  Reading reading = reading_;
  reading.waiting = std::ssize(waiting_);
  return reading;
}

double Batcher::ExpectedWait(double row) const {
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) return 0;
  int64_t rows = 1;
  for (const auto& call : waiting_) rows += call->rows;
  const bool together = options_.most_rows > 1 && reading_.cost.TogetherPays();
  const int64_t at_once = together ? std::min(options_.most_rows, rows) : 1;
  const double each = reading_.runs > 0 ? reading_.cost.Of(at_once) / static_cast<double>(at_once) : row;
  return each * static_cast<double>(rows) / static_cast<double>(sessions_.size());
}

base::Result<void> Batcher::Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                                const base::Deadline& deadline, Lane& lane) {
  const auto call = std::make_shared<Call>();
  call->inputs = inputs;
  call->outputs = outputs;
  call->deadline = deadline;
  call->priority = lane.priority_;
  call->rows = RowsOf(inputs);
  std::unique_lock lock(mutex_);
  const int64_t announced = std::min(lane.expected_, call->rows);
  lane.expected_ -= announced;
  expected_ -= announced;
  if (!idle_.empty()) {
    call->session = idle_.back();
    call->given = options_.clock->Now();
    idle_.pop_back();
    return RunAsFirst(lock, call);
  }
  const base::SteadyTime begun = options_.clock->Now();
  Enqueue(call);
  while (!call->settled() && !call->MayLeave()) {
    if (call->state == State::kPinned) {
      call->changed.wait(lock, [&] { return call->state != State::kPinned; });
    } else {
      const auto until = std::min(deadline.at, std::chrono::steady_clock::now() + std::chrono::hours(1));
      const auto state = call->state;
      call->changed.wait_until(lock, deadline.stop, until, [&] { return call->state != state; });
    }
  }
  lane.waited_ += std::max<int64_t>(0, Nanoseconds(begun, options_.clock->Now()) - call->ran);
  auto ran = call->state == State::kDone    ? std::move(call->result)
             : call->state == State::kFirst ? RunAsFirst(lock, call)
                                            : GiveUp(*call, deadline);
  lane.shared_ |= call->shared;
  return ran;
}

/// By priority, those of one priority in the order they came.
void Batcher::Enqueue(const std::shared_ptr<Call>& call) {
  const auto later = [&](const auto& other) { return other->priority > call->priority; };
  waiting_.insert(std::ranges::find_if(waiting_, later), call);
}

base::Result<void> Batcher::GiveUp(Call& call, const base::Deadline& deadline) {
  call.left = true;
  ++reading_.expired;
  std::erase_if(waiting_, [&](const auto& other) { return other.get() == &call; });
  if (deadline.Stopped()) {
    return Fail(Code::kCancelled, "scoring.cancelled", "the call was cancelled while it waited for the model");
  }
  return Fail(Code::kDeadlineExceeded, "scoring.deadline",
              "the model was busy for as long as the call had time; send less at once, or raise limits.timeout");
}

/// With the session that the call has been given. `lock` is held, and released while there is work.
base::Result<void> Batcher::RunAsFirst(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Call>& first) {
  Session& session = *first->session;
  Crowd crowd;
  crowd.calls = TakeCompany(first);
  if (crowd.calls.size() > 1) {
    RunTogether(lock, session, crowd);
    Release(session);
    return std::move(first->result);
  }
  lock.unlock();
  const base::SteadyTime begun = options_.clock->Now();
  auto ran = session.Run(first->inputs, first->outputs, first->deadline);
  const int64_t took = Nanoseconds(begun, options_.clock->Now());
  lock.lock();
  ++reading_.runs;
  ++reading_.calls;
  if (ran) {
    reading_.cost.Add(first->rows, took);
    pace_.Add(first->rows, Nanoseconds(first->given, options_.clock->Now()));
  }
  Release(session);
  return ran;
}

/// The call and those that run with it: as many of the first ones that wait as fit, and as have the time.
std::vector<std::shared_ptr<Batcher::Call>> Batcher::TakeCompany(const std::shared_ptr<Call>& first) {
  std::vector<std::shared_ptr<Call>> taken = {first};
  if (waiting_.empty() || first->rows >= options_.most_rows) return taken;
  if (!reading_.cost.TogetherPays() && ++chances_ % kRetryTogether != 0) return taken;
  const base::SteadyTime now = options_.clock->Now();
  base::SteadyTime earliest = first->deadline.at;
  int64_t rows = first->rows;
  const auto fits = [&](const Call& call) {
    if (rows + call.rows > options_.most_rows || !CanJoin(first->inputs, call.inputs)) return false;
    const base::SteadyTime end = std::min(earliest, call.deadline.at);
    return end == base::SteadyTime::max() ||
           reading_.cost.Of(rows + call.rows) <= static_cast<double>(Nanoseconds(now, end));
  };
  std::erase_if(waiting_, [&](const std::shared_ptr<Call>& call) {
    if (call->MayLeave() || !fits(*call)) return false;
    rows += call->rows;
    earliest = std::min(earliest, call->deadline.at);
    call->state = State::kPinned;
    taken.push_back(call);
    return true;
  });
  return taken;
}

/// Settles all calls of the crowd. `lock` as in RunAsFirst().
void Batcher::RunTogether(std::unique_lock<std::mutex>& lock, Session& session, Crowd& crowd) {
  lock.unlock();
  Join(crowd);
  lock.lock();
  Settle(crowd, State::kRunning);
  lock.unlock();
  const base::SteadyTime begun = options_.clock->Now();
  auto ran = session.Run(crowd.inputs, crowd.outputs, crowd.deadline);
  const int64_t took = Nanoseconds(begun, options_.clock->Now());
  lock.lock();
  ++reading_.runs;
  reading_.calls += std::ssize(crowd.calls);
  reading_.together += std::ssize(crowd.calls);
  for (const auto& call : crowd.calls) {
    call->shared = true;
    call->ran = took;
  }
  if (ran) reading_.cost.Add(crowd.rows, took);
  if (!ran) {
    RunEach(lock, session, crowd);
    return;
  }
  Settle(crowd, State::kPinned);
  lock.unlock();
  const bool split = Split(crowd);
  lock.lock();
  Settle(crowd, split ? State::kDone : State::kRunning);
  if (!split) RunEach(lock, session, crowd);
}

void Batcher::Settle(Call& call, State state) {
  if (call.left) return;
  call.state = state;
  call.changed.notify_one();
}

void Batcher::Settle(Crowd& crowd, State state) {
  for (const auto& call : crowd.calls) Settle(*call, state);
}

void Batcher::Join(Crowd& crowd) {
  std::vector<std::span<const TensorView>> inputs;
  crowd.deadline.clock = crowd.calls[0]->deadline.clock;
  crowd.deadline.at = base::SteadyTime::min();
  for (const auto& call : crowd.calls) {
    inputs.push_back(call->inputs);
    crowd.rows += call->rows;
    crowd.deadline.at = std::max(crowd.deadline.at, call->deadline.at);
  }
  crowd.joined.resize(inputs[0].size());
  crowd.outputs.resize(crowd.calls[0]->outputs.size());
  for (size_t i = 0; i < crowd.joined.size(); ++i) {
    crowd.inputs.push_back(crowd.joined[i].Join(inputs, i, crowd.rows));
  }
}

/// Gives each call that is pinned its rows. False when the outputs are not by rows.
bool Batcher::Split(Crowd& crowd) {
  int64_t first = 0;
  for (const auto& call : crowd.calls) {
    for (size_t i = 0; i < crowd.outputs.size() && call->state == State::kPinned; ++i) {
      const Tensor& whole = crowd.outputs[i];
      if (whole.shape.empty() || whole.shape[0] != crowd.rows) return false;
      if (!CopyRows(whole, first, call->rows, call->outputs[i])) return false;
    }
    first += call->rows;
  }
  return true;
}

/// One after another, from the copies of their inputs: one call's fault is not the others'.
void Batcher::RunEach(std::unique_lock<std::mutex>& lock, Session& session, Crowd& crowd) {
  int64_t first = 0;
  std::vector<TensorView> inputs;
  for (const auto& call : crowd.calls) {
    const int64_t rows = call->rows;
    inputs.clear();
    for (const TensorView& joined : crowd.inputs) inputs.push_back(SliceRows(joined, first, rows));
    first += rows;
    if (call->left) continue;
    lock.unlock();
    const base::SteadyTime begun = options_.clock->Now();
    auto ran = session.Run(inputs, crowd.outputs, call->deadline);
    const int64_t took = Nanoseconds(begun, options_.clock->Now());
    lock.lock();
    call->ran += took;
    ++reading_.runs;
    if (call->left) continue;
    std::swap_ranges(crowd.outputs.begin(), crowd.outputs.end(), call->outputs.begin());
    call->result = std::move(ran);
    Settle(*call, State::kDone);
  }
}

/// To whoever waits first.
void Batcher::Release(Session& session) {
  if (waiting_.empty()) {
    idle_.push_back(&session);
    return;
  }
  const std::shared_ptr<Call> next = std::move(waiting_.front());
  waiting_.pop_front();
  next->session = &session;
  next->given = options_.clock->Now();
  next->state = State::kFirst;
  next->changed.notify_one();
}

}  // namespace slipway::engine
