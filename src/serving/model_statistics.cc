#include "serving/model_statistics.h"

#include <algorithm>

namespace slipway::serving {

CallCounters& ModelStatistics::For(int thread, std::string_view name, std::string_view version) {
  const std::lock_guard lock(mutex_);
  auto& counters = counters_[Key(name, version)][thread];
  if (counters == nullptr) counters = std::make_unique<CallCounters>();
  return *counters;
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
