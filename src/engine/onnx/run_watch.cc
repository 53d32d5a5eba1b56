#include "engine/onnx/run_watch.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <chrono>

namespace slipway::engine::onnx {

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

int64_t Now() {
  return steady_clock::now().time_since_epoch().count();
}

}  // namespace

RunWatch::~RunWatch() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void RunWatch::Join(Seat& seat) {
  const std::lock_guard lock(mutex_);
  seats_.push_back(&seat);
}

void RunWatch::Leave(Seat& seat) {
  const std::lock_guard lock(mutex_);
  std::erase(seats_, &seat);
}

void RunWatch::LookBy(int64_t time) {
  // Sequentially consistent against EndOverdue(): either that sees the seat's time, or this sees that it has to wake.
  if (time >= next_look_.load()) return;
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { Look(stop); });
  look_now_ = true;
  woken_.notify_one();
}

void RunWatch::Look(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    look_now_ = false;
    const int64_t next = EndOverdue();
    const auto called = [this] { return look_now_; };
    if (next == kNever) {
      woken_.wait(lock, stop, called);
    } else {
      woken_.wait_until(lock, stop, steady_clock::time_point(nanoseconds(next)), called);
    }
  }
}

/// Ends the runs whose time is over; when to look again.
int64_t RunWatch::EndOverdue() {
  next_look_.store(kNever);  // until the next time is known, every new run has to call
  int64_t next = kNever;
  for (Seat* seat : seats_) {
    int64_t until = seat->until_.load();
    if (until < 0) continue;
    if (until > Now()) {
      next = std::min(next, until);
    } else if (seat->until_.compare_exchange_strong(until, Seat::kEnding)) {
      seat->EndRun();
      seat->until_.store(Seat::kEnded);
      seat->until_.notify_one();
    }
  }
  next_look_.store(next);
  return next;
}

RunWatch::Seat::Seat(RunWatch& watch) : watch_(watch) {
  OrtRunOptions* raw = nullptr;
  // Without memory for these the run goes unwatched, and will fail for want of memory by itself.
  if (OrtStatus* status = watch.runtime_.api().CreateRunOptions(&raw)) watch.runtime_.api().ReleaseStatus(status);
  options_.reset(raw);
  watch_.Join(*this);
}

RunWatch::Seat::~Seat() {
  watch_.Leave(*this);
}

void RunWatch::Seat::Begin(const base::Deadline& deadline) {
  int64_t until = deadline.at.time_since_epoch().count();
  if (deadline.clock != &base::Clock::System()) until = Now() + (deadline.at - deadline.clock->Now()).count();
  until = std::max<int64_t>(until, 0);
  until_.store(until);
  watch_.LookBy(until);
}

bool RunWatch::Seat::End() {
  int64_t until = until_.load();
  while (until >= 0 && !until_.compare_exchange_weak(until, kIdle)) {
  }
  while (until == kEnding) {
    until_.wait(kEnding);
    until = until_.load();
  }
  if (until != kEnded) return false;
  until_.store(kIdle);
  return true;
}

void RunWatch::Seat::EndRun() {
  if (options_ == nullptr) return;
  if (OrtStatus* status = watch_.runtime_.api().RunOptionsSetTerminate(options_.get())) {
    watch_.runtime_.api().ReleaseStatus(status);
  }
}

void RunWatch::Seat::Rearm() {
  if (options_ == nullptr) return;
  if (OrtStatus* status = watch_.runtime_.api().RunOptionsUnsetTerminate(options_.get())) {
    watch_.runtime_.api().ReleaseStatus(status);
  }
}

}  // namespace slipway::engine::onnx
