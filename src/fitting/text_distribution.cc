#include "fitting/text_distribution.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace slipway::fitting {

void TextDistribution::Add(std::string_view text) {
  ++texts_;
  if (text.size() > kLongestValue) return;
  if (const auto known = counts_.find(text); known != counts_.end()) {
    ++known->second;
    return;
  }
  if (counts_.size() == kCountedTexts) GiveUpTheRare();
  counts_.emplace(text, 1);
}

// Takes as much from every count as leaves at most half of them.
void TextDistribution::GiveUpTheRare() {
  std::vector<int64_t> counts;
  counts.reserve(counts_.size());
  for (const auto& [text, count] : counts_) counts.push_back(count);
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::ranges::nth_element(counts, middle, std::greater<>{});
  error_ += *middle;
  for (auto& [text, count] : counts_) count -= *middle;
  std::erase_if(counts_, [](const auto& entry) { return entry.second <= 0; });
}

void TextDistribution::Describe(base::Value& out) const {
  if (texts_ == 0) return;
  std::vector<std::pair<std::string_view, int64_t>> sorted(counts_.begin(), counts_.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (sorted.size() > kBaselineValues) {
    sorted.resize(kBaselineValues);
    std::erase_if(sorted, [](const auto& entry) { return entry.second < 2; });  // chosen by nothing but their spelling
  }
  auto values = base::Value::Map();
  int64_t other = texts_;
  for (const auto& [text, count] : sorted) {
    values.map().emplace_back(text, count);
    other -= count;
  }
  out.Set("values", std::move(values)).Set("other", other);
  if (error_ > 0) out.Set("error", error_);
}

}  // namespace slipway::fitting
