#pragma once
// A gate that a test opens for what it wants to hold up, and that tells what has come to it.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace slipway::base {

/// Open at first. Thread-safety: all methods from any thread.
class Gate {
 public:
  /// Waits until the gate is open, or lets one pass. `load`: what loads() is to tell of it.
  void Pass(int64_t load = 0) {
    std::unique_lock lock(mutex_);
    loads_.push_back(load);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ || tickets_ > 0; });
    if (!open_) --tickets_;
  }
  void LetOne() {
    const std::lock_guard lock(mutex_);
    ++tickets_;
    changed_.notify_all();
  }
  void Open() { Set(true); }
  void Close() { Set(false); }
  /// Waits until so many have come, whether they have passed or not.
  void Await(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return std::ssize(loads_) >= count; });
  }
  int came() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(loads_.size());
  }
  /// In the order in which they came.
  std::vector<int64_t> loads() const {
    const std::lock_guard lock(mutex_);
    return loads_;
  }

 private:
  void Set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int64_t> loads_;
  int tickets_ = 0;
  bool open_ = true;
};

}  // namespace slipway::base
