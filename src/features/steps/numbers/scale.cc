// standardize, min_max, max_abs, robust: linear maps learned from the data. Twins: StandardScaler, MinMaxScaler,
// MaxAbsScaler, RobustScaler.

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "features/learn/moments.h"
#include "features/learn/normal.h"
#include "features/learn/quantiles.h"
#include "features/learn/range.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// scikit-learn's guard against division by (nearly) nothing.
double NonZeroScale(double scale) {
  return scale < 10 * kEpsilon ? 1.0 : scale;
}

struct CenterAndDivide {
  double center, scale;
  double operator()(double x) const { return (x - center) / scale; }
};

struct MultiplyAndAdd {
  double scale, offset;
  double operator()(double x) const { return x * scale + offset; }
};

struct MultiplyAddClip {
  double scale, offset, low, high;
  double operator()(double x) const {
    const double y = x * scale + offset;
    return y < low ? low : y > high ? high : y;
  }
};

Result<void> CompileCenterAndDivide(StepPlan& plan) {
  const auto count = static_cast<int64_t>(plan.streams().size());
  const std::vector<double> center = plan.learned().Numbers("center", count);
  const std::vector<double> scale = plan.learned().Numbers("scale", count);
  SLIPWAY_TRY(plan.learned().Finish());
  std::vector<CenterAndDivide> ops;
  for (size_t i = 0; i < center.size(); ++i) ops.push_back({center[i], scale[i]});
  YieldMap(plan, std::move(ops));
  return {};
}

class Standardize final : public NumericStep {
 public:
  explicit Standardize(StepReader& reader)
      : NumericStep(reader.Inputs()),
        with_mean_(reader.Boolean("with_mean", true)),
        with_std_(reader.Boolean("with_std", true)) {}
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions&) const override {
    return LearnStreams(plan, Moments(),
                        [mean_wanted = with_mean_, std_wanted = with_std_](
                            std::vector<Moments>& moments, const std::vector<Stream>& streams) -> Result<Value> {
                          std::vector<double> center, scale;
                          for (size_t i = 0; i < moments.size(); ++i) {
                            const double mean = moments[i].Mean();
                            const double variance = moments[i].Variance();
                            if (!std::isfinite(mean) || !std::isfinite(variance)) return NotFinite(streams[i].name);
                            const auto n = static_cast<double>(moments[i].count());
                            const bool constant =
                                variance <= n * kEpsilon * variance + (n * mean * kEpsilon) * (n * mean * kEpsilon);
                            center.push_back(mean_wanted ? mean : 0);
                            scale.push_back(std_wanted && !constant ? std::sqrt(variance) : 1);
                          }
                          return Value::Map().Set("center", LearnedList(center)).Set("scale", LearnedList(scale));
                        });
  }
  Result<void> Compile(StepPlan& plan) const override { return CompileCenterAndDivide(plan); }

 private:
  bool with_mean_, with_std_;
};

class MinMax final : public NumericStep {
 public:
  explicit MinMax(StepReader& reader) : NumericStep(reader.Inputs()), clip_(reader.Boolean("clip", false)) {
    const auto range = reader.Numbers("range").value_or(std::vector<double>{0, 1});
    if (range.size() == 2 && range[0] < range[1]) {
      low_ = range[0];
      high_ = range[1];
    } else {
      reader.Reject("range", "min_max: `range` is not two ascending numbers; write range: [0, 1]");
    }
  }
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions&) const override {
    return LearnStreams(
        plan, Range(),
        [low = low_, high = high_](std::vector<Range>& ranges, const std::vector<Stream>& streams) -> Result<Value> {
          std::vector<double> scale, offset;
          for (size_t i = 0; i < ranges.size(); ++i) {
            const double span = ranges[i].max() - ranges[i].min();
            if (!std::isfinite(span)) return NotFinite(streams[i].name);
            scale.push_back((high - low) / NonZeroScale(span));
            offset.push_back(low - ranges[i].min() * scale.back());
          }
          return Value::Map().Set("scale", LearnedList(scale)).Set("offset", LearnedList(offset));
        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    const auto count = static_cast<int64_t>(plan.streams().size());
    const std::vector<double> scale = plan.learned().Numbers("scale", count);
    const std::vector<double> offset = plan.learned().Numbers("offset", count);
    SLIPWAY_TRY(plan.learned().Finish());
    std::vector<MultiplyAndAdd> ops;
    std::vector<MultiplyAddClip> clipped;
    for (size_t i = 0; i < scale.size(); ++i) {
      if (clip_) clipped.push_back({scale[i], offset[i], low_, high_});
      if (!clip_) ops.push_back({scale[i], offset[i]});
    }
    if (clip_) YieldMap(plan, std::move(clipped));
    if (!clip_) YieldMap(plan, std::move(ops));
    return {};
  }

 private:
  bool clip_;
  double low_ = 0, high_ = 1;
};

class MaxAbs final : public NumericStep {
 public:
  explicit MaxAbs(StepReader& reader) : NumericStep(reader.Inputs()) {}
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions&) const override {
    return LearnStreams(plan, Range(), [](std::vector<Range>& ranges, const std::vector<Stream>&) -> Result<Value> {
      std::vector<double> center(ranges.size(), 0.0), scale;
      for (const Range& range : ranges)
        scale.push_back(NonZeroScale(std::max(std::fabs(range.min()), std::fabs(range.max()))));
      return Value::Map().Set("center", LearnedList(center)).Set("scale", LearnedList(scale));
    });
  }
  Result<void> Compile(StepPlan& plan) const override { return CompileCenterAndDivide(plan); }
};

class Robust final : public NumericStep {
 public:
  explicit Robust(StepReader& reader)
      : NumericStep(reader.Inputs()),
        with_centering_(reader.Boolean("with_centering", true)),
        with_scaling_(reader.Boolean("with_scaling", true)),
        unit_variance_(reader.Boolean("unit_variance", false)) {
    const auto range = reader.Numbers("quantile_range").value_or(std::vector<double>{25, 75});
    if (range.size() == 2 && range[0] >= 0 && range[0] < range[1] && range[1] <= 100) {
      low_ = range[0];
      high_ = range[1];
    } else {
      reader.Reject("quantile_range",
                    "robust: `quantile_range` is not two ascending percentages; write quantile_range: [25, 75]");
    }
    if (unit_variance_ && (low_ == 0 || high_ == 100)) {
      reader.Reject("unit_variance", "robust: `unit_variance` needs a quantile_range inside 0 and 100");
    }
  }
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    const Quantiles fresh(ExactValuesPerStream(plan, options));
    return LearnStreams(
        plan, fresh, [this](std::vector<Quantiles>& quantiles, const std::vector<Stream>& streams) -> Result<Value> {
          std::vector<double> center, scale;
          for (size_t i = 0; i < quantiles.size(); ++i) {
            const double spread = quantiles[i].Quantile(high_ / 100) - quantiles[i].Quantile(low_ / 100);
            if (!std::isfinite(spread)) return NotFinite(streams[i].name);
            center.push_back(with_centering_ ? quantiles[i].Median() : 0);
            scale.push_back(with_scaling_ ? NonZeroScale(spread) : 1);
            if (with_scaling_ && unit_variance_)
              scale.back() /= NormalQuantile(high_ / 100) - NormalQuantile(low_ / 100);
          }
          return Value::Map().Set("center", LearnedList(center)).Set("scale", LearnedList(scale));
        });
  }
  Result<void> Compile(StepPlan& plan) const override { return CompileCenterAndDivide(plan); }

 private:
  bool with_centering_, with_scaling_, unit_variance_;
  double low_ = 25, high_ = 75;
};

}  // namespace

ParsedStep ParseStandardize(StepReader& reader) {
  return std::make_unique<Standardize>(reader);
}
ParsedStep ParseMinMax(StepReader& reader) {
  return std::make_unique<MinMax>(reader);
}
ParsedStep ParseMaxAbs(StepReader& reader) {
  return std::make_unique<MaxAbs>(reader);
}
ParsedStep ParseRobust(StepReader& reader) {
  return std::make_unique<Robust>(reader);
}

}  // namespace slipway::features
