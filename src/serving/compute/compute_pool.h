#pragma once
// ComputePool: threads for work that would hold an io thread up. Each kind of work has a queue of its own, and the
// queues take turns, so that none keeps the others waiting.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway::serving {

struct ComputePoolOptions {
  int first_thread = 0;         ///< number of the first thread, for those that keep workspaces by thread
  int threads_most = 64;        ///< started as work comes
  int threads_each_most = 32;   ///< that one queue occupies
  int64_t waiting_most = 1024;  ///< in one queue
};

/// Lifecycle: works from its making to Stop(). Thread-safety: all methods from any thread.
class ComputePool {
 public:
  /// Given the number of the thread that it runs on.
  using Job = std::function<void(int thread)>;

  explicit ComputePool(ComputePoolOptions options) : options_(options) {}
  ~ComputePool() { Stop(); }

  /// Has `job` run; of one queue, those with lower priority numbers first, else in their order. False: the queue is
  /// full, or the pool has stopped.
  bool Submit(uint64_t queue, int priority, Job job);
  /// Has `task` run on every thread that there is, between its jobs.
  void RunOnThreads(const Job& task);
  /// Runs what was submitted, and ends the threads. Whoever calls it waits for that.
  void Stop();

  struct Reading {
    int threads = 0, busy = 0;
    int64_t waiting = 0;
  };
  Reading Read() const;
  int64_t Waiting(uint64_t queue) const;
  int threads_most() const { return options_.threads_most; }

 private:
  struct Queue {
    uint64_t id;
    int running = 0;
    std::deque<std::pair<int, Job>> jobs;  ///< by priority, then as they came
  };
  struct Thread {
    std::vector<Job> tasks;
    std::jthread thread;
  };
  Queue& QueueOf(uint64_t id);
  Queue* NextQueue();
  void Work(size_t index);
  void AddThread();

  const ComputePoolOptions options_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::deque<Queue> queues_;  ///< only those with jobs waiting or running; the first one's turn is next
  std::deque<Thread> threads_;
  int64_t waiting_ = 0;  ///< jobs of all queues
  int idle_ = 0;         ///< threads, among them new ones
  bool stopping_ = false;
  std::once_flag stopped_;
};

}  // namespace slipway::serving
