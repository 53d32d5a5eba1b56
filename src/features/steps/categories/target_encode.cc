// target_encode: the mean of the target per category, shrunk towards the overall mean. Twin: TargetEncoder. On the rows
// it was fitted on it answers out of fold: what the other folds would have learned.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "features/learn/category_learner.h"
#include "features/learn/moments.h"
#include "features/steps/categories/category_map.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

// Count, sum and sum of squares of the target; mergeable, so folds can be left out.
struct TargetSums {
  int64_t count = 0;
  DoubleDouble sum, squares;

  void Add(double y) {
    ++count;
    sum = sum + DoubleDouble{y, 0};
    squares = squares + DoubleDouble::Product(y, y);
  }
  void Merge(const TargetSums& other) {
    count += other.count;
    sum = sum + other.sum;
    squares = squares + other.squares;
  }
  double Mean() const { return sum.value() / static_cast<double>(count); }
  double SquaredDifferences() const {
    const double total = (squares - sum * (sum / static_cast<double>(count))).value();
    return total < 0 ? 0 : total;
  }
};

struct Smoothing {
  bool automatic = true;
  double weight = 0;

  // Formulas of scikit-learn's TargetEncoder (D. Micci-Barreca, 2001, equations 5 to 7).
  double Encode(const TargetSums& category, double mean, double variance) const {
    const auto n = static_cast<double>(category.count);
    if (!automatic) {
      if (n + weight == 0) return mean;
      return (DoubleDouble::Product(weight, mean) + category.sum).value() / (n + weight);
    }
    if (category.count == 0) return mean;
    const double lambda = variance * n / (variance * n + category.SquaredDifferences() / n);
    if (std::isnan(lambda)) return mean;
    return lambda * category.Mean() + (1 - lambda) * mean;
  }
};

class TargetLearner final : public CategoryLearner {
 public:
  TargetLearner(std::span<const Input> inputs, int64_t limit, int64_t folds, Smoothing smoothing)
      : CategoryLearner(inputs, limit),
        folds_(static_cast<size_t>(folds)),
        smoothing_(smoothing),
        sums_(inputs.size()),
        totals_(folds_) {}

  Result<void> Add(const Frame& frame, const double* target) override {
    for (int64_t r = 0; r < frame.rows; ++r) {
      if (!std::isnan(target[r])) totals_[FoldOf(frame, r)].Add(target[r]);
    }
    for (size_t i = 0; i < sums_.size(); ++i) {
      std::vector<TargetSums>& sums = sums_[i];
      for (int64_t r = 0; r < frame.rows; ++r) {
        if (std::isnan(target[r])) continue;
        SLIPWAY_ASSIGN(const int64_t id, Number(i, frame, r));
        const auto row = static_cast<size_t>(id + 1) * folds_;  // null first
        if (row + folds_ > sums.size()) sums.resize(row + folds_);
        sums[row + FoldOf(frame, r)].Add(target[r]);
      }
    }
    return {};
  }

  Result<Value> Finish() override {
    if (Merge(totals_, folds_).count == 0) {
      return base::Fail(base::Code::kInvalidArgument, "features.nothing_learned",
                        "no row has a target, so there is nothing to learn");
    }
    Value list = Value::List();
    for (size_t i = 0; i < sums_.size(); ++i) list.Add(Describe(i));
    std::vector<double> means;
    for (size_t fold = 0; fold <= folds_; ++fold) means.push_back(MeanOf(fold));
    if (!std::ranges::all_of(means, [](double mean) { return std::isfinite(mean); })) {
      return base::Fail(base::Code::kInvalidArgument, "features.not_finite",
                        "the values of the target are too large to average");
    }
    const double mean = means.back();
    means.pop_back();
    return Value::Map().Set("mean", mean).Set("fold_means", LearnedList(means)).Set("inputs", std::move(list));
  }

 private:
  size_t FoldOf(const Frame& frame, int64_t row) const { return static_cast<size_t>(frame.first_row + row) % folds_; }

  // All folds but `without`, in their order; `without` = folds_: all.
  TargetSums Merge(std::span<const TargetSums> folds, size_t without) const {
    TargetSums merged;
    for (size_t fold = 0; fold < folds_; ++fold) {
      if (fold != without) merged.Merge(folds[fold]);
    }
    return merged;
  }
  double MeanOf(size_t without) const {
    const TargetSums others = Merge(totals_, without);
    return others.count > 0 ? others.Mean() : Merge(totals_, folds_).Mean();
  }
  double VarianceOf(size_t without) const {
    const TargetSums others = Merge(totals_, without);
    return others.count > 0 ? others.SquaredDifferences() / static_cast<double>(others.count) : 0;
  }

  Value Describe(size_t input) {
    const LearnedVocabulary& vocabulary = vocabularies()[input];
    const std::vector<int64_t> ids = vocabulary.index.Sorted();
    std::vector<TargetSums>& sums = sums_[input];
    sums.resize(std::max(sums.size(), static_cast<size_t>(vocabulary.index.size() + 1) * folds_));
    Value keys = Value::List(), folds = Value::List();
    for (const int64_t id : ids) keys.Add(vocabulary.index.Key(id));
    Value entry = Value::Map();
    entry.Set("categories", std::move(keys));
    for (size_t fold = 0; fold <= folds_; ++fold) {
      const double mean = MeanOf(fold), variance = VarianceOf(fold);
      const auto encode = [&](int64_t id) {
        const TargetSums merged = Merge(std::span(sums).subspan(static_cast<size_t>(id + 1) * folds_, folds_), fold);
        return merged.count == 0 ? mean : smoothing_.Encode(merged, mean, variance);
      };
      std::vector<double> values;
      for (const int64_t id : ids) values.push_back(encode(id));
      values.push_back(encode(CategoryIndex::kNull));  // null last; the mean when no row was null
      if (fold < folds_) folds.Add(LearnedList(values));
      if (fold == folds_) entry.Set("values", LearnedList(values));
    }
    return entry.Set("fold_values", std::move(folds));
  }

  size_t folds_;
  Smoothing smoothing_;
  std::vector<std::vector<TargetSums>> sums_;  // per input: (id + 1) * folds + fold
  std::vector<TargetSums> totals_;             // per fold
};

// What one fold, or all of them, learned about one input.
struct Encoding {
  std::vector<double> values;  // by id, null last
  double unseen = 0;
};

struct EncodedInput {
  int slot;
  CategoryIndex index;
  Encoding all;
  std::vector<Encoding> folds;  // what the other folds learned
};

class TargetEncodeKernel final : public Kernel {
 public:
  TargetEncodeKernel(std::vector<EncodedInput> inputs, int out) : inputs_(std::move(inputs)), out_(out) {}

  void Run(Frame& frame) const override {
    const auto width = static_cast<int64_t>(inputs_.size());
    double* out = frame.block(out_);
    for (const EncodedInput& input : inputs_) {
      const data::ColumnView& view = frame.view(input.slot);
      for (int64_t r = 0; r < frame.rows; ++r) {
        const Encoding& encoding =
            frame.training ? input.folds[static_cast<size_t>(frame.first_row + r) % input.folds.size()] : input.all;
        const int64_t id = input.index.Find(view, r);
        out[r * width] = id >= 0                      ? encoding.values[static_cast<size_t>(id)]
                         : id == CategoryIndex::kNull ? encoding.values.back()
                                                      : encoding.unseen;
      }
      ++out;
    }
  }

 private:
  std::vector<EncodedInput> inputs_;
  int out_;
};

class TargetEncode final : public CategoryStep {
 public:
  explicit TargetEncode(StepReader& reader)
      : CategoryStep(reader.Inputs()), folds_(reader.Integer("folds", 5, 2, 100)) {
    const Value* smoothing = reader.Find("smoothing");
    if (smoothing == nullptr || (smoothing->is_string() && smoothing->string() == "auto")) return;
    if (!smoothing->is_number()) {
      reader.Reject("smoothing", "target_encode: `smoothing` is auto or a number of rows, e.g. smoothing: 20");
      return;
    }
    smoothing_ = {false, reader.NumberIn("smoothing", 0, 0, 1e12)};
  }
  bool learns() const override { return true; }
  bool needs_target() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    return std::make_unique<TargetLearner>(plan.inputs(), options.max_vocabulary, folds_, smoothing_);
  }

  Result<void> Compile(StepPlan& plan) const override {
    LearnedReader& learned = plan.learned();
    const double mean = learned.Number("mean");
    const std::vector<double> fold_means = learned.Numbers("fold_means", folds_);
    const base::ValueList& entries = learned.List("inputs", static_cast<int64_t>(plan.inputs().size()));
    std::vector<EncodedInput> inputs;
    for (size_t i = 0; i < entries.size(); ++i) {
      const Input& source = plan.inputs()[i];
      EncodedInput input{.slot = source.slot, .index = CategoryIndex(source.type)};
      ReadCategories(learned, entries[i], input.index);
      LearnedReader entry(entries[i], plan.as());
      input.all = {entry.Numbers("values", input.index.size() + 1), mean};
      const base::ValueList& folds = entry.List("fold_values", folds_);
      for (size_t fold = 0; fold < folds.size(); ++fold) {
        const Value wrapped = Value::Map().Set("fold_values", folds[fold]);
        LearnedReader values(wrapped, plan.as());
        input.folds.push_back({values.Numbers("fold_values", input.index.size() + 1), fold_means[fold]});
        SLIPWAY_TRY(values.Finish());
      }
      SLIPWAY_TRY(entry.Finish());
      inputs.push_back(std::move(input));
    }
    SLIPWAY_TRY(learned.Finish());
    const int slot = plan.AddBlock(static_cast<int64_t>(inputs.size()));
    plan.AddKernel(std::make_unique<TargetEncodeKernel>(std::move(inputs), slot));
    plan.Yield(slot, data::ScalarType::kNumber, InputSuffixes(plan));
    plan.HasTrainingPath();
    return {};
  }

 private:
  int64_t folds_;
  Smoothing smoothing_;
};

}  // namespace

ParsedStep ParseTargetEncode(StepReader& reader) {
  return std::make_unique<TargetEncode>(reader);
}

}  // namespace slipway::features
