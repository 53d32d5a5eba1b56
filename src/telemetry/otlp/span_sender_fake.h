#pragma once
// A collector for tests: does what it is told, and remembers what it got.

#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/otlp/span_sender.h"

namespace slipway::telemetry::otlp {

/// What a FakeSender and its test share. Thread-safety: all methods from any thread.
class FakeCollector {
 public:
  /// The answers to come, in this order; after them everything is delivered.
  void Script(std::vector<SpanSender::Answer> answers) {
    const std::lock_guard lock(mutex_);
    script_.assign(answers.begin(), answers.end());
  }
  /// From now on attempts last until they are given up.
  void Hang() {
    const std::lock_guard lock(mutex_);
    hangs_ = true;
  }
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

  SpanSender::Answer Take(std::string_view body, const std::function<bool()>& give_up) {
    bool hangs = false;
    SpanSender::Answer answer{.outcome = SpanSender::Outcome::kDelivered, .text = {}};
    {
      const std::lock_guard lock(mutex_);
      bodies_.emplace_back(body);
      hangs = hangs_;
      if (!script_.empty()) {
        answer = script_.front();
        script_.pop_front();
      }
    }
    if (!hangs) return answer;
    while (!give_up()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return {.outcome = SpanSender::Outcome::kRetry, .text = "no answer in time"};
  }

 private:
  mutable std::mutex mutex_;  ///< guards all of it
  std::deque<SpanSender::Answer> script_;
  std::vector<std::string> bodies_;
  bool hangs_ = false;
};

class FakeSender final : public SpanSender {
 public:
  explicit FakeSender(FakeCollector& collector) : collector_(collector) {}
  Answer Send(std::string_view body, const std::function<bool()>& give_up) override {
    return collector_.Take(body, give_up);
  }

 private:
  FakeCollector& collector_;
};

}  // namespace slipway::telemetry::otlp
