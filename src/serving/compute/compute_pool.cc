#include "serving/compute/compute_pool.h"

#include <algorithm>
#include <utility>

#include "base/thread_priority.h"

namespace slipway::serving {
namespace {

/// Io threads go first: they have little to do for each request, and answer those who ask how things are.
constexpr int kNice = 5;

}  // namespace

bool ComputePool::Submit(uint64_t queue, int priority, Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  auto& [id, running, jobs] = QueueOf(queue);
  if (std::ssize(jobs) >= options_.waiting_most) return false;
  const auto later = std::ranges::find_if(jobs, [&](const auto& other) { return other.first > priority; });
  jobs.emplace(later, priority, std::move(job));
  const bool room = running + std::ssize(jobs) <= options_.threads_each_most;
  if (++waiting_ > idle_ && room && std::ssize(threads_) < options_.threads_most) AddThread();
  changed_.notify_one();
  return true;
}

ComputePool::Queue& ComputePool::QueueOf(uint64_t id) {
  const auto found = std::ranges::find(queues_, id, &Queue::id);
  return found != queues_.end() ? *found : queues_.emplace_back(Queue{.id = id, .running = 0, .jobs = {}});
}

/// The first that has a job and may occupy one more thread; its next turn comes after that of all others.
ComputePool::Queue* ComputePool::NextQueue() {
  const auto ready = [&](const Queue& queue) {
    return !queue.jobs.empty() && queue.running < options_.threads_each_most;
  };
  const auto found = std::ranges::find_if(queues_, ready);
  if (found == queues_.end()) return nullptr;
  Queue chosen = std::move(*found);
  queues_.erase(found);
  return &queues_.emplace_back(std::move(chosen));
}

void ComputePool::AddThread() {
  const size_t index = threads_.size();
  ++idle_;
  threads_.emplace_back().thread = std::jthread([this, index] { Work(index); });
}

void ComputePool::Work(size_t index) {
  base::LowerThreadPriority(kNice);
  const int number = options_.first_thread + static_cast<int>(index);
  std::unique_lock lock(mutex_);
  while (true) {
    if (auto tasks = std::exchange(threads_[index].tasks, {}); !tasks.empty()) {
      lock.unlock();
      for (const Job& task : tasks) task(number);
      lock.lock();
      continue;
    }
    Queue* queue = NextQueue();
    if (queue == nullptr) {
      if (stopping_) return;
      changed_.wait(lock);
      continue;
    }
    const uint64_t id = queue->id;
    Job job = std::move(queue->jobs.front().second);
    queue->jobs.pop_front();
    ++queue->running;
    --idle_;
    --waiting_;
    lock.unlock();
    job(number);
    job = nullptr;
    lock.lock();
    ++idle_;
    Queue& done = QueueOf(id);
    --done.running;
    if (done.running == 0 && done.jobs.empty()) {
      std::erase_if(queues_, [&](const Queue& other) { return other.id == id; });
    }
  }
}

void ComputePool::RunOnThreads(const Job& task) {
  const std::lock_guard lock(mutex_);
  for (Thread& thread : threads_) thread.tasks.push_back(task);
  changed_.notify_all();
}

void ComputePool::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  std::call_once(stopped_, [this] {
    for (Thread& thread : threads_) thread.thread.join();
  });
}

ComputePool::Reading ComputePool::Read() const {
  const std::lock_guard lock(mutex_);
  const auto threads = static_cast<int>(threads_.size());
  return {.threads = threads, .busy = threads - idle_, .waiting = waiting_};
}

int64_t ComputePool::Waiting(uint64_t queue) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(queues_, queue, &Queue::id);
  return found == queues_.end() ? 0 : std::ssize(found->jobs);
}

}  // namespace slipway::serving
