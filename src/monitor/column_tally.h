#pragma once
// ColumnTally: what was seen of one column, in a form that can be kept, read again and added to another's.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "monitor/reference.h"

namespace slipway::monitor {

/// Mean and spread in one pass, and of two passes together (Chan, Golub, LeVeque, 1979).
struct Moments {
  int64_t count = 0;
  double mean = 0, squares = 0;  ///< sum of squared distances from the mean
  double min = 0, max = 0;

  void Add(double number);
  void Add(const Moments& other);
  double std() const;  ///< divided by count
};

/// Counts of finite numbers by sign, exponent and the first four bits of their fraction: 16 buckets from one power of
/// two to the next, so that a quantile is off by 3 % at most, whatever the range (the idea of Tene's HdrHistogram).
class LogBuckets {
 public:
  void Add(double number);
  void Add(const LogBuckets& other);
  int64_t count() const { return count_; }
  /// Precondition: count() > 0, 0 <= share <= 1.
  double Quantile(double share) const;

  base::Value ToValue() const;
  static std::optional<LogBuckets> FromValue(const base::Value& value);

 private:
  int64_t& At(int bucket);

  int first_ = 0;  ///< the bucket of counts_[0]; they are ordered as the numbers are
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
};

/// Numbers (booleans are 0 and 1, timestamps microseconds) have moments, and the reference's bins. Texts have the
/// reference's bins. Of answers, `is_answer`, numbers have buckets and texts are counted one by one, up to kTexts.
/// Thread-safety: one thread at a time; `reference` must outlive this.
class ColumnTally {
 public:
  static constexpr size_t kTexts = 64;
  ColumnTally(const Reference& reference, bool is_answer) : reference_(&reference), is_answer_(is_answer) {
    bins_.resize(reference.bins());
  }

  void AddNull() { ++rows_, ++nulls_; }
  /// Precondition: the row of this scalar column, or the element of this vector's, is valid.
  void Add(const data::ColumnView& view, int64_t element);
  /// A value that is counted only.
  void AddOther() { ++rows_; }
  /// Precondition: of the same column and reference.
  void Add(const ColumnTally& other);

  /// For keeping: short names, all that Add needs.
  base::Value ToValue() const;
  /// False when the value was not made by ToValue of a tally with the same reference.
  bool Read(const base::Value& value);

  /// For people: rows, nulls, mean, std, min, max, quantiles or texts, and beside a reference its figures and `psi`.
  base::Value Describe() const;
  std::optional<double> stability_index() const { return StabilityIndex(bins_, reference_->counts()); }
  int64_t rows() const { return rows_; }
  double null_share() const { return rows_ > 0 ? static_cast<double>(nulls_) / static_cast<double>(rows_) : 0; }
  const Moments& moments() const { return moments_; }
  const Reference& reference() const { return *reference_; }

 private:
  void AddNumber(double number);
  void AddText(std::string_view text);

  const Reference* reference_;
  bool is_answer_;
  int64_t rows_ = 0, nulls_ = 0;
  std::vector<int64_t> bins_;
  Moments moments_;
  LogBuckets buckets_;
  std::map<std::string, int64_t, std::less<>> texts_;
  int64_t other_texts_ = 0;
};

}  // namespace slipway::monitor
