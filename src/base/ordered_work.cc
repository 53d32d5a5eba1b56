#include "base/ordered_work.h"

#include <deque>
#include <utility>

namespace slipway::base {
namespace {

/// Slots waiting for a worker, and those done.
class Queue {
 public:
  explicit Queue(int slots) : done_(static_cast<size_t>(slots)), results_(static_cast<size_t>(slots)) {}

  void Put(int slot) {
    const std::lock_guard lock(mutex_);
    done_[static_cast<size_t>(slot)] = false;
    waiting_.push_back(slot);
    changed_.notify_all();
  }

  /// -1 when the run is over.
  int Take(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return -1;
    const int slot = waiting_.front();
    waiting_.pop_front();
    return slot;
  }

  void Finish(int slot, Result<void> result) {
    const std::lock_guard lock(mutex_);
    results_[static_cast<size_t>(slot)] = std::move(result);
    done_[static_cast<size_t>(slot)] = true;
    changed_.notify_all();
  }

  /// Forgets what no worker has begun.
  void Abandon() {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
  }

  bool IsDone(int slot) {
    const std::lock_guard lock(mutex_);
    return done_[static_cast<size_t>(slot)] != 0;
  }

  Result<void> Await(int slot) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return static_cast<bool>(done_[static_cast<size_t>(slot)]); });
    return results_[static_cast<size_t>(slot)];
  }

 private:
  std::mutex mutex_;  ///< guards everything below
  std::condition_variable_any changed_;
  std::deque<int> waiting_;
  std::vector<char> done_;
  std::vector<Result<void>> results_;
};

/// Runs a function at the end of a scope.
template <typename Function>
class OnReturn {
 public:
  explicit OnReturn(Function function) : function_(std::move(function)) {}
  ~OnReturn() { function_(); }
  OnReturn(const OnReturn&) = delete;

 private:
  Function function_;
};

}  // namespace

Result<void> OrderedWork::Run(const Plan& plan) {
  Queue queue(plan.slots);
  std::vector<std::jthread> workers;
  for (int worker = 0; worker < plan.workers; ++worker) {
    workers.emplace_back([&, worker](std::stop_token stop) {
      for (int slot = queue.Take(stop); slot >= 0; slot = queue.Take(stop)) queue.Finish(slot, plan.work(slot, worker));
    });
  }
  const OnReturn abandon([&queue] { queue.Abandon(); });  // an error leaves slots behind that nobody wants any more
  int64_t filled = 0, drained = 0;
  Result<bool> more = true;
  while (more.value_or(false) || drained < filled) {
    // What is done goes first: filling may take as long as somebody takes to write into a pipe.
    const bool ready = drained < filled && queue.IsDone(static_cast<int>(drained % plan.slots));
    if (!ready && more.value_or(false) && filled - drained < plan.slots) {
      const int slot = static_cast<int>(filled % plan.slots);
      more = plan.fill(slot);
      if (!more.value_or(false)) continue;
      queue.Put(slot);
      ++filled;
      continue;
    }
    const int slot = static_cast<int>(drained % plan.slots);
    SLIPWAY_TRY(queue.Await(slot));
    SLIPWAY_TRY(plan.drain(slot));
    ++drained;
  }
  SLIPWAY_TRY(more);
  return {};
}

}  // namespace slipway::base
