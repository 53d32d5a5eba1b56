#pragma once
// LoadReport: what became of the requests of one run of the load generator, as one JSON object.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace slipway {

/// Thread-safety: one thread.
class LoadReport {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Answer : uint8_t { kRight, kWrong, kRefused };

  /// An answer is good when it is right and comes within `deadline` of its planned time. `slice` (0: none) is the part
  /// of the run, by planned times, that is also told apart.
  LoadReport(Clock::duration deadline, Clock::duration slice) : deadline_(deadline), slice_(slice) {}

  void Begin(Clock::time_point start) { start_ = start; }
  void CountAnswer(Clock::time_point due, Clock::time_point now, Clock::time_point end, Answer answer) {
    const double took = std::chrono::duration<double, std::micro>(now - due).count();
    latencies_.push_back(took);
    in_time_ += now <= end;
    wrong_ += answer == Answer::kWrong;
    refused_ += answer == Answer::kRefused;
    if (answer == Answer::kRight) accepted_.push_back(took);
    const bool good = answer == Answer::kRight && now - due <= deadline_;
    good_ += good;
    if (slice_.count() == 0) return;
    Slice& slice = SliceOf(due);
    slice.good += good;
    slice.refused += answer == Answer::kRefused;
    if (answer == Answer::kRight) slice.accepted.push_back(took);
  }
  void CountSent() { ++sent_; }
  void CountBroken() { ++broken_; }
  /// A request that its caller gave up before there was a connection for it.
  void CountUnsent(Clock::time_point due) {
    ++unsent_;
    if (slice_.count() > 0) ++SliceOf(due).unsent;
  }

  void Print(double seconds, int64_t unanswered) {
    fmt::print(
        R"({{"sent":{},"answered":{},"wrong":{},"refused":{},"broken":{},"unsent":{},"unanswered":{},"seconds":{:.3f},)"
        R"("per_second":{:.1f},"good":{},"good_per_second":{:.1f},)",
        sent_, latencies_.size(), wrong_, refused_, broken_, unsent_, unanswered, seconds,
        static_cast<double>(in_time_) / seconds, good_, static_cast<double>(good_) / seconds);
    PrintQuantiles(latencies_, "");
    fmt::print(",");
    PrintQuantiles(accepted_, "accepted_");
    if (slice_.count() > 0) PrintSlices();
    fmt::print("}}\n");
  }

 private:
  struct Slice {
    int64_t good = 0, refused = 0, unsent = 0;
    std::vector<double> accepted;
  };

  Slice& SliceOf(Clock::time_point due) {
    const auto at = static_cast<size_t>(std::max<int64_t>(0, (due - start_) / slice_));
    if (slices_.size() <= at) slices_.resize(at + 1);
    return slices_[at];
  }

  /// Sorts.
  static double Quantile(std::vector<double>& values, double q) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
  }

  static void PrintQuantiles(std::vector<double>& values, const std::string& prefix) {
    const char* between = "";
    for (const auto& [name, q] : {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}}) {
      fmt::print(R"({}"{}{}_us":{:.1f})", between, prefix, name, Quantile(values, q));
      between = ",";
    }
  }

  void PrintSlices() {
    fmt::print(R"(,"slices":[)");
    const char* between = "";
    for (Slice& slice : slices_) {
      fmt::print(R"({}{{"good":{},"accepted":{},"refused":{},"unsent":{},"p99_us":{:.1f}}})", between, slice.good,
                 slice.accepted.size(), slice.refused, slice.unsent, Quantile(slice.accepted, 0.99));
      between = ",";
    }
    fmt::print("]");
  }

  const Clock::duration deadline_, slice_;
  Clock::time_point start_;
  int64_t sent_ = 0, wrong_ = 0, refused_ = 0, broken_ = 0, unsent_ = 0, in_time_ = 0, good_ = 0;
  std::vector<double> latencies_, accepted_;  ///< µs
  std::vector<Slice> slices_;
};

}  // namespace slipway
