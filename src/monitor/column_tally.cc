#include "monitor/column_tally.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace slipway::monitor {
namespace {

using base::Value;

constexpr int kBits = 48;             ///< of a double, below those that tell the bucket
constexpr int kMostBucket = 1 << 15;  ///< all exponents

int BucketOf(double number) {
  const auto size = static_cast<int>(std::bit_cast<uint64_t>(std::abs(number)) >> kBits);
  return number < 0 ? -size : size;
}

double MiddleOf(int bucket) {
  const auto size = static_cast<uint64_t>(std::abs(bucket));
  if (size == 0) return 0;
  const auto low = std::bit_cast<double>(size << kBits), high = std::bit_cast<double>((size + 1) << kBits);
  const double middle = std::isfinite(high) ? low + (high - low) / 2 : low;
  return bucket < 0 ? -middle : middle;
}

Value ListOf(const std::vector<int64_t>& counts) {
  auto list = Value::List();
  for (const int64_t count : counts) list.Add(count);
  return list;
}

double NumberOf(const Value& value) {
  if (value.is_integer()) return static_cast<double>(value.integer());
  return value.is_number() ? value.number() : 0;
}

}  // namespace

void Moments::Add(double number) {
  min = count == 0 ? number : std::min(min, number);
  max = count == 0 ? number : std::max(max, number);
  ++count;
  const double step = number - mean;
  mean += step / static_cast<double>(count);
  squares += step * (number - mean);
}

void Moments::Add(const Moments& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  const auto mine = static_cast<double>(count), theirs = static_cast<double>(other.count);
  const double step = other.mean - mean;
  mean += step * theirs / (mine + theirs);
  squares += other.squares + step * step * mine * theirs / (mine + theirs);
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  count += other.count;
}

double Moments::std() const {
  return count > 0 ? std::sqrt(squares / static_cast<double>(count)) : 0;
}

int64_t& LogBuckets::At(int bucket) {
  if (counts_.empty()) first_ = bucket;
  if (bucket < first_) {
    counts_.insert(counts_.begin(), static_cast<size_t>(first_ - bucket), 0);
    first_ = bucket;
  }
  const auto at = static_cast<size_t>(bucket - first_);
  if (at >= counts_.size()) counts_.resize(at + 1);
  return counts_[at];
}

void LogBuckets::Add(double number) {
  ++At(BucketOf(number));
  ++count_;
}

void LogBuckets::Add(const LogBuckets& other) {
  for (size_t i = 0; i < other.counts_.size(); ++i) {
    if (other.counts_[i] > 0) At(other.first_ + static_cast<int>(i)) += other.counts_[i];
  }
  count_ += other.count_;
}

double LogBuckets::Quantile(double share) const {
  const double wanted = share * static_cast<double>(count_ - 1);
  int64_t below = 0;
  size_t i = 0;
  while (i + 1 < counts_.size() && static_cast<double>(below += counts_[i]) <= wanted) ++i;
  return MiddleOf(first_ + static_cast<int>(i));
}

Value LogBuckets::ToValue() const {
  auto list = Value::List();
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) list.Add(int64_t{first_} + static_cast<int64_t>(i)).Add(counts_[i]);
  }
  return list;
}

std::optional<LogBuckets> LogBuckets::FromValue(const Value& value) {
  if (!value.is_list() || value.list().size() % 2 != 0) return std::nullopt;
  LogBuckets buckets;
  for (size_t i = 0; i < value.list().size(); i += 2) {
    const auto &bucket = value.list()[i], &count = value.list()[i + 1];
    const bool fits = bucket.is_integer() && count.is_integer() && count.integer() >= 0 &&
                      bucket.integer() > -kMostBucket && bucket.integer() < kMostBucket;
    if (!fits) return std::nullopt;
    buckets.At(static_cast<int>(bucket.integer())) += count.integer();
    buckets.count_ += count.integer();
  }
  return buckets;
}

void ColumnTally::AddNumber(double number) {
  if (!std::isfinite(number)) {
    ++nulls_;  // as a reference counts them
    return;
  }
  moments_.Add(number);
  if (reference_->kind() == Reference::Kind::kNumbers) ++bins_[reference_->BinOf(number)];
  if (is_answer_) buckets_.Add(number);
}

void ColumnTally::AddText(std::string_view text) {
  if (reference_->kind() == Reference::Kind::kTexts) {
    ++bins_[reference_->BinOf(text)];
  } else if (is_answer_) {
    const auto known = texts_.find(text);
    if (known != texts_.end()) {
      ++known->second;
    } else if (texts_.size() < kTexts) {
      texts_.emplace(text, 1);
    } else {
      ++other_texts_;
    }
  }
}

void ColumnTally::Add(const data::ColumnView& view, int64_t element) {
  ++rows_;
  switch (view.type) {
    case data::ScalarType::kBoolean:
      AddNumber(view.booleans()[element] != 0 ? 1 : 0);
      break;
    case data::ScalarType::kInteger:
    case data::ScalarType::kTimestamp:
      AddNumber(static_cast<double>(view.integers()[element]));
      break;
    case data::ScalarType::kNumber:
      AddNumber(view.numbers()[element]);
      break;
    case data::ScalarType::kString:
      AddText(view.string(element));
      break;
  }
}

void ColumnTally::Add(const ColumnTally& other) {
  rows_ += other.rows_;
  nulls_ += other.nulls_;
  for (size_t bin = 0; bin < bins_.size(); ++bin) bins_[bin] += other.bins_[bin];
  moments_.Add(other.moments_);
  buckets_.Add(other.buckets_);
  for (const auto& [text, count] : other.texts_) {
    if (texts_.size() < kTexts || texts_.contains(text)) {
      texts_[text] += count;
    } else {
      other_texts_ += count;
    }
  }
  other_texts_ += other.other_texts_;
}

Value ColumnTally::ToValue() const {
  auto value = Value::Map().Set("n", rows_);
  if (nulls_ > 0) value.Set("null", nulls_);
  if (!bins_.empty()) value.Set("bins", ListOf(bins_));
  if (moments_.count > 0) {
    const auto& m = moments_;
    value.Set("moments", Value::List().Add(m.count).Add(m.mean).Add(m.squares).Add(m.min).Add(m.max));
  }
  if (buckets_.count() > 0) value.Set("logs", buckets_.ToValue());
  if (!texts_.empty()) {
    auto texts = Value::Map();
    for (const auto& [text, count] : texts_) texts.Set(text, count);
    value.Set("texts", std::move(texts)).Set("other", other_texts_);
  }
  return value;
}

bool ColumnTally::Read(const Value& value) {
  const auto count = [&](std::string_view key) {
    const Value* found = value.Find(key);
    return found != nullptr && found->is_integer() ? found->integer() : 0;
  };
  if (!value.is_map()) return false;
  rows_ = count("n");
  nulls_ = count("null");
  other_texts_ = count("other");
  const Value* bins = value.Find("bins");
  const bool fits = bins == nullptr ? bins_.empty() : bins->is_list() && bins->list().size() == bins_.size();
  if (!fits) return false;
  for (size_t bin = 0; bin < bins_.size(); ++bin) {
    if (!bins->list()[bin].is_integer()) return false;
    bins_[bin] = bins->list()[bin].integer();
  }
  if (const Value* moments = value.Find("moments"); moments != nullptr) {
    if (!moments->is_list() || moments->list().size() != 5 || !moments->list()[0].is_integer()) return false;
    const auto& list = moments->list();
    moments_ = {.count = list[0].integer(),
                .mean = NumberOf(list[1]),
                .squares = NumberOf(list[2]),
                .min = NumberOf(list[3]),
                .max = NumberOf(list[4])};
  }
  if (const Value* logs = value.Find("logs"); logs != nullptr) {
    auto buckets = LogBuckets::FromValue(*logs);
    if (!buckets) return false;
    buckets_ = std::move(*buckets);
  }
  if (const Value* texts = value.Find("texts"); texts != nullptr) {
    if (!texts->is_map() || texts->map().size() > kTexts) return false;
    for (const auto& [text, times] : texts->map()) texts_[text] = times.is_integer() ? times.integer() : 0;
  }
  return true;
}

Value ColumnTally::Describe() const {
  auto value = Value::Map().Set("rows", rows_).Set("null_share", null_share());
  if (moments_.count > 0) {
    value.Set("mean", moments_.mean).Set("std", moments_.std()).Set("min", moments_.min).Set("max", moments_.max);
  }
  if (buckets_.count() > 0) {
    auto quantiles = Value::Map();
    for (const auto& [name, share] :
         {std::pair("p05", 0.05), {"p25", 0.25}, {"p50", 0.5}, {"p75", 0.75}, {"p95", 0.95}}) {
      quantiles.Set(name, std::clamp(buckets_.Quantile(share), moments_.min, moments_.max));
    }
    value.Set("quantiles", std::move(quantiles));
  }
  if (!texts_.empty()) {
    auto texts = Value::Map();
    for (const auto& [text, count] : texts_) texts.Set(text, count);
    value.Set("values", std::move(texts));
    if (other_texts_ > 0) value.Set("other", other_texts_);
  }
  if (reference_->kind() == Reference::Kind::kNone) return value;
  auto baseline = Value::Map().Set("null_share", reference_->null_share());
  if (reference_->mean()) baseline.Set("mean", *reference_->mean());
  if (reference_->std()) baseline.Set("std", *reference_->std());
  value.Set("baseline", std::move(baseline));
  if (const auto index = stability_index()) value.Set("psi", *index);
  return value;
}

}  // namespace slipway::monitor
