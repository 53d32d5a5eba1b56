#pragma once
// RunWatch ends runs of ONNX Runtime that outlast their deadline. Between the nodes of a graph and the rounds of a loop
// ONNX Runtime looks at a flag; somebody else than the thread inside the run must raise it.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "engine/onnx/runtime.h"

namespace slipway::engine::onnx {

/// Watches the sessions of one model with one thread, started at the first run with a deadline.
///
/// Thread-safety: all methods from any thread. A run that is watched costs its thread a few atomic operations; the
/// watching thread is woken only for a deadline earlier than all it knows.
/// Lifecycle: outlives its seats.
class RunWatch {
 public:
  class Seat;

  explicit RunWatch(const Runtime& runtime) : runtime_(runtime) {}
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;
  ~RunWatch();

 private:
  void Join(Seat& seat);
  void Leave(Seat& seat);
  /// Sees to it that the thread looks at the seats by then.
  void LookBy(int64_t time);
  void Look(const std::stop_token& stop);
  int64_t EndOverdue();

  const Runtime& runtime_;
  std::atomic<int64_t> next_look_{kNever};  ///< read without the mutex: whether LookBy() has work to do
  std::mutex mutex_;                        // guards all below
  std::condition_variable_any woken_;
  bool look_now_ = false;
  std::vector<Seat*> seats_;
  std::jthread thread_;

  static constexpr int64_t kNever = INT64_MAX;
};

/// One session's place: it runs one run at a time.
class RunWatch::Seat {
 public:
  explicit Seat(RunWatch& watch);
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat();

  /// To run with.
  OrtRunOptions* options() const { return options_.get(); }
  /// Around a run. The deadline's clock may be any; what is left by it is waited for in real time.
  void Begin(const base::Deadline& deadline);
  /// True when the run was told to end, whether it noticed or not.
  bool End();
  /// Tells the run that is going on to end; from any thread.
  void EndRun();
  /// Lets the next run go on, after one was told to end.
  void Rearm();

 private:
  friend class RunWatch;
  // until_: nanoseconds of the steady clock at which to end the run, or one of these.
  static constexpr int64_t kIdle = -1, kEnding = -2, kEnded = -3;

  RunWatch& watch_;
  Owned<OrtRunOptions> options_;
  std::atomic<int64_t> until_{kIdle};
};

}  // namespace slipway::engine::onnx
