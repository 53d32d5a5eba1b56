#pragma once
// Reference: the distribution that a column had in the training table, as baseline.json tells it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace slipway::monitor {

/// Bins of numbers, or texts with their counts. Immutable.
class Reference {
 public:
  enum class Kind : uint8_t { kNone, kNumbers, kTexts };

  Reference() = default;  ///< none
  /// A distribution of baseline.json (docs/formats/bundle.md); of vectors, of personal texts, and of what this release
  /// cannot read, there is none.
  explicit Reference(const base::Value& distribution);

  Kind kind() const { return kind_; }
  size_t bins() const { return counts_.size(); }
  /// Of numbers: an edge belongs to the bin below it.
  size_t BinOf(double number) const;
  /// Of texts: the last bin is that of all texts which are not named.
  size_t BinOf(std::string_view text) const;

  const std::vector<int64_t>& counts() const { return counts_; }
  double null_share() const { return null_share_; }
  std::optional<double> mean() const { return mean_; }
  std::optional<double> std() const { return std_; }

 private:
  void ReadNumbers(const base::Value& distribution);
  void ReadTexts(const base::Value& values, int64_t other);

  Kind kind_ = Kind::kNone;
  std::vector<double> edges_;
  std::map<std::string, size_t, std::less<>> texts_;
  std::vector<int64_t> counts_;
  double null_share_ = 0;
  std::optional<double> mean_, std_;
};

/// Population stability index: the sum over bins of (a - e) ln(a / e), a and e being the bin's shares of what is seen
/// and of the reference (Siddiqi, Credit Risk Scorecards, 2006). Shares below 0.0001 count as that, so that an empty
/// bin weighs much but not without end. Below 0.1 little has changed, above 0.25 much. nullopt when either is empty.
std::optional<double> StabilityIndex(const std::vector<int64_t>& seen, const std::vector<int64_t>& reference);

}  // namespace slipway::monitor
