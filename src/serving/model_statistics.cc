#include "serving/model_statistics.h"

#include <algorithm>

namespace slipway::serving {

CallTotal FailureOf(const base::Error& error) {
  switch (error.code) {
    case base::Code::kDeadlineExceeded:
    case base::Code::kCancelled:
      return CallTotal::kCancelled;
    default:
      break;
  }
  if (error.reason.starts_with("engine.")) return CallTotal::kEngine;
  switch (error.code) {
    case base::Code::kInvalidArgument:
    case base::Code::kOutOfRange:
    case base::Code::kResourceExhausted:
      return CallTotal::kRejected;
    default:
      return CallTotal::kOther;
  }
}

int64_t CallTotals::failed() const {
  return (*this)[CallTotal::kRejected] + (*this)[CallTotal::kCancelled] + (*this)[CallTotal::kEngine] +
         (*this)[CallTotal::kOther];
}

int64_t CallTotals::in_flight() const {
  return std::max<int64_t>((*this)[CallTotal::kBegun] - (*this)[CallTotal::kSucceeded] - failed(), 0);
}

CallCounters& ModelStatistics::For(int thread, std::string_view name, std::string_view version) {
  const std::lock_guard lock(mutex_);
  auto& counters = counters_[Key(name, version)][thread];
  if (counters == nullptr) counters = std::make_unique<CallCounters>();
  return *counters;
}

void ModelStatistics::Forget(std::string_view name, std::string_view version) {
  const std::lock_guard lock(mutex_);
  counters_.erase(Key(name, version));
}

CallTotals ModelStatistics::Read(std::string_view name, std::string_view version) const {
  CallTotals sum;
  const std::lock_guard lock(mutex_);
  const auto found = counters_.find(Key(name, version));
  if (found == counters_.end()) return sum;
  for (const auto& [thread, counters] : found->second) {
    for (size_t i = 0; i < kCallTotals; ++i) sum.totals[i] += counters->Get(static_cast<CallTotal>(i));
    sum.last = std::max(sum.last, counters->last());
  }
  return sum;
}

}  // namespace slipway::serving
