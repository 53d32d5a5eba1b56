// power: makes numbers more like a normal distribution. Twin: PowerTransformer.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "features/learn/minimum.h"
#include "features/learn/moments.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// Yeo and Johnson, "A new family of power transformations", 2000.
double YeoJohnson(double x, double lambda) {
  if (x >= 0) {
    if (std::fabs(lambda) < kEpsilon) return std::log1p(x);
    return (std::pow(x + 1, lambda) - 1) / lambda;
  }
  if (std::isnan(x)) return x;
  if (std::fabs(lambda - 2) <= kEpsilon) return -std::log1p(-x);
  return -(std::pow(-x + 1, 2 - lambda) - 1) / (2 - lambda);
}

// Box and Cox, 1964, in the form of scipy.special.boxcox.
double BoxCox(double x, double lambda) {
  if (std::fabs(lambda) < 1e-19) return std::log(x);
  return std::expm1(lambda * std::log(x)) / lambda;
}

struct PowerThenScale {
  double lambda, center, scale;
  bool box_cox;
  double operator()(double x) const { return ((box_cox ? BoxCox(x, lambda) : YeoJohnson(x, lambda)) - center) / scale; }
};

// All values up to a budget; past it every second, fourth, … one.
class Sample {
 public:
  explicit Sample(int64_t budget) : budget_(static_cast<size_t>(std::max<int64_t>(budget, 16))) {}
  void Add(double x) {
    if (count_++ % stride_ != 0) return;
    values_.push_back(x);
    if (values_.size() <= budget_) return;
    for (size_t i = 0; 2 * i < values_.size(); ++i) values_[i] = values_[2 * i];
    values_.resize((values_.size() + 1) / 2);
    stride_ *= 2;
  }
  int64_t count() const { return count_; }
  const std::vector<double>& values() const { return values_; }

 private:
  size_t budget_;
  int64_t count_ = 0;
  int64_t stride_ = 1;
  std::vector<double> values_;
};

Moments MomentsOf(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) moments.Add(value);
  return moments;
}

double SumOf(const std::vector<double>& values) {
  DoubleDouble sum;
  for (const double value : values) sum = sum + DoubleDouble{value, 0};
  return sum.value();
}

// The lambda of greatest likelihood; SciPy's bounds keep the transform of 20 times the largest value inside the
// doubles.
double YeoJohnsonLambda(const std::vector<double>& values) {
  double largest = 0;
  bool any_negative = false, all_negative = true;
  std::vector<double> logs;
  for (const double x : values) {
    largest = std::max(largest, std::fabs(x));
    (x < 0 ? any_negative : all_negative) = x < 0;
    logs.push_back(std::copysign(std::log1p(std::fabs(x)), x));
  }
  if (largest == 0) return 1;
  const double log_sum = SumOf(logs);
  const double log_epsilon = std::log(kEpsilon), log_largest = std::log1p(20 * largest);
  double low = (std::log(std::numeric_limits<double>::min()) - log_epsilon) / 2 / log_largest;
  double high = (std::log(std::numeric_limits<double>::max()) + log_epsilon) / 2 / log_largest;
  if (any_negative && all_negative) {
    const double mirrored = 2 - high;
    high = 2 - low;
    low = mirrored;
  } else if (any_negative) {
    const double mirrored_low = std::max(2 - high, low), mirrored_high = std::min(2 - low, high);
    low = mirrored_low;
    high = mirrored_high;
  }
  const auto n = static_cast<double>(values.size());
  std::vector<double> transformed(values.size());
  return MinimumBetween(low, high, [&](double lambda) {
    std::ranges::transform(values, transformed.begin(), [lambda](double x) { return YeoJohnson(x, lambda); });
    const double variance = MomentsOf(transformed).Variance();
    if (!(variance >= std::numeric_limits<double>::min())) return HUGE_VAL;
    return n / 2 * std::log(variance) - (lambda - 1) * log_sum;
  });
}

double BoxCoxLambda(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double x : values) logs.push_back(std::log(x));
  const double log_sum = SumOf(logs);
  const auto [smallest, largest] = std::ranges::minmax(logs);
  const auto n = static_cast<double>(values.size());
  std::vector<double> powers(values.size());
  return MinimumNear(-2, 2, [&](double lambda) {
    double log_variance = 0;
    if (lambda == 0) {
      log_variance = std::log(MomentsOf(logs).Variance());
    } else {  // var(x^lambda), with the largest power taken out so that nothing overflows
      const double top = lambda > 0 ? lambda * largest : lambda * smallest;
      std::ranges::transform(logs, powers.begin(), [&](double log) { return std::exp(lambda * log - top); });
      log_variance = std::log(MomentsOf(powers).Variance()) + 2 * top - 2 * std::log(std::fabs(lambda));
    }
    return n / 2 * log_variance - (lambda - 1) * log_sum;
  });
}

class Power final : public NumericStep {
 public:
  explicit Power(StepReader& reader)
      : NumericStep(reader.Inputs()),
        box_cox_(reader.Choice("method", {"yeo_johnson", "box_cox"}) == "box_cox"),
        standardize_(reader.Boolean("standardize", true)) {}
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    const Sample fresh(ExactValuesPerStream(plan, options));
    return LearnStreams(plan, fresh,
                        [this](std::vector<Sample>& samples, const std::vector<Stream>& streams) -> Result<Value> {
                          std::vector<double> lambdas, centers, scales;
                          for (size_t i = 0; i < samples.size(); ++i) {
                            SLIPWAY_ASSIGN(const PowerThenScale op, LearnOne(samples[i].values(), streams[i].name));
                            lambdas.push_back(op.lambda);
                            centers.push_back(op.center);
                            scales.push_back(op.scale);
                          }
                          return Value::Map()
                              .Set("lambda", LearnedList(lambdas))
                              .Set("center", LearnedList(centers))
                              .Set("scale", LearnedList(scales));
                        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    const auto count = static_cast<int64_t>(plan.streams().size());
    const std::vector<double> lambda = plan.learned().Numbers("lambda", count);
    const std::vector<double> center = plan.learned().Numbers("center", count);
    const std::vector<double> scale = plan.learned().Numbers("scale", count);
    SLIPWAY_TRY(plan.learned().Finish());
    std::vector<PowerThenScale> ops;
    for (size_t i = 0; i < lambda.size(); ++i) ops.push_back({lambda[i], center[i], scale[i], box_cox_});
    YieldMap(plan, std::move(ops));
    return {};
  }

 private:
  static bool IsConstant(const Moments& moments) {
    const auto n = static_cast<double>(moments.count());
    const double bound = n * moments.Mean() * kEpsilon;
    return moments.Variance() <= n * kEpsilon * moments.Variance() + bound * bound;
  }

  Result<PowerThenScale> LearnOne(const std::vector<double>& values, const std::string& name) const {
    if (box_cox_ && std::ranges::min(values) <= 0) {
      return base::Fail(base::Code::kInvalidArgument, "features.not_positive",
                        fmt::format("box_cox takes values above 0, and \"{}\" has {}; write method: yeo_johnson", name,
                                    std::ranges::min(values)));
    }
    PowerThenScale op{.lambda = 1, .center = 0, .scale = 1, .box_cox = box_cox_};
    if (!IsConstant(MomentsOf(values))) op.lambda = box_cox_ ? BoxCoxLambda(values) : YeoJohnsonLambda(values);
    if (!standardize_) return op;
    std::vector<double> transformed;
    for (const double x : values) transformed.push_back(op(x));
    const Moments moments = MomentsOf(transformed);
    op.center = moments.Mean();
    if (!IsConstant(moments)) op.scale = std::sqrt(moments.Variance());
    if (!std::isfinite(op.lambda) || !std::isfinite(op.center) || !std::isfinite(op.scale)) return NotFinite(name);
    return op;
  }

  bool box_cox_, standardize_;
};

}  // namespace

ParsedStep ParsePower(StepReader& reader) {
  return std::make_unique<Power>(reader);
}

}  // namespace slipway::features
