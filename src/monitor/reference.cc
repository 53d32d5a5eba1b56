#include "monitor/reference.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace slipway::monitor {
namespace {

constexpr double kLeastShare = 1e-4;

std::optional<double> NumberIn(const base::Value& map, std::string_view key) {
  const auto* value = map.Find(key);
  if (value == nullptr || !(value->is_number() || value->is_integer())) return std::nullopt;
  return value->is_integer() ? static_cast<double>(value->integer()) : value->number();
}

int64_t CountIn(const base::Value& map, std::string_view key) {
  const auto* value = map.Find(key);
  return value != nullptr && value->is_integer() ? std::max<int64_t>(0, value->integer()) : 0;
}

}  // namespace

Reference::Reference(const base::Value& distribution) {
  if (!distribution.is_map()) return;
  const double rows = static_cast<double>(CountIn(distribution, "rows"));
  if (rows > 0) {
    null_share_ = static_cast<double>(CountIn(distribution, "nulls") + CountIn(distribution, "nan")) / rows;
  }
  const auto* values = distribution.Find("values");
  if (values != nullptr && values->is_map()) {
    ReadTexts(*values, CountIn(distribution, "other"));
  } else {
    ReadNumbers(distribution);
  }
}

void Reference::ReadTexts(const base::Value& values, int64_t other) {
  for (const auto& [text, count] : values.map()) {
    if (!count.is_integer() || !texts_.emplace(text, counts_.size()).second) continue;
    counts_.push_back(count.integer());
  }
  counts_.push_back(other);
  kind_ = Kind::kTexts;
}

void Reference::ReadNumbers(const base::Value& distribution) {
  const auto* edges = distribution.Find("edges");
  const auto* counts = distribution.Find("counts");
  if (edges == nullptr || counts == nullptr || !edges->is_list() || !counts->is_list()) return;
  for (const auto& edge : edges->list()) {
    if (!edge.is_number() && !edge.is_integer()) return;
    edges_.push_back(edge.is_integer() ? static_cast<double>(edge.integer()) : edge.number());
  }
  if (counts->list().size() != edges_.size() + 1 || !std::ranges::is_sorted(edges_)) return;
  for (const auto& count : counts->list()) counts_.push_back(count.is_integer() ? count.integer() : 0);
  mean_ = NumberIn(distribution, "mean");
  std_ = NumberIn(distribution, "std");
  kind_ = Kind::kNumbers;
}

size_t Reference::BinOf(double number) const {
  return static_cast<size_t>(std::ranges::lower_bound(edges_, number) - edges_.begin());
}

size_t Reference::BinOf(std::string_view text) const {
  const auto known = texts_.find(text);
  return known == texts_.end() ? counts_.size() - 1 : known->second;
}

std::optional<double> StabilityIndex(const std::vector<int64_t>& seen, const std::vector<int64_t>& reference) {
  const auto total = [](const std::vector<int64_t>& counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  };
  const double all_seen = total(seen), all_expected = total(reference);
  if (all_seen <= 0 || all_expected <= 0 || seen.size() != reference.size()) return std::nullopt;
  double index = 0;
  for (size_t bin = 0; bin < seen.size(); ++bin) {
    const double actual = std::max(kLeastShare, static_cast<double>(seen[bin]) / all_seen);
    const double expected = std::max(kLeastShare, static_cast<double>(reference[bin]) / all_expected);
    index += (actual - expected) * std::log(actual / expected);
  }
  return index;
}

}  // namespace slipway::monitor
