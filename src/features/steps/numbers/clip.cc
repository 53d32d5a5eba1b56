// clip: numbers cut at bounds that are given or learned as quantiles. Twins: numpy.clip; winsorizing.

#include <cmath>

#include "features/learn/quantiles.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

struct ClipTo {
  double low, high;
  double operator()(double x) const { return x < low ? low : x > high ? high : x; }
};

class Clip final : public NumericStep {
 public:
  explicit Clip(StepReader& reader) : NumericStep(reader.Inputs()) {
    const auto low = reader.OptionalNumber("min"), high = reader.OptionalNumber("max");
    shares_ = reader.Numbers("quantiles");
    if (!low && !high && !shares_)
      reader.Reject("clip", "clip: no bound is given; write `min`, `max` or both, or quantiles: [0.01, 0.99]");
    if (shares_ && (low || high))
      reader.Reject("quantiles", "clip: `quantiles` learns both bounds, so `min` and `max` have nothing to say");
    const bool shares_good =
        !shares_ || (shares_->size() == 2 && (*shares_)[0] >= 0 && (*shares_)[1] <= 1 && (*shares_)[0] < (*shares_)[1]);
    if (!shares_good)
      reader.Reject("quantiles", "clip: `quantiles` are not two ascending shares of 1; write quantiles: [0.01, 0.99]");
    to_ = {low.value_or(-HUGE_VAL), high.value_or(HUGE_VAL)};
    if (to_.low > to_.high) reader.Reject("min", "clip: `min` is larger than `max`");
  }
  bool learns() const override { return shares_.has_value(); }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    return LearnStreams(
        plan, Quantiles(ExactValuesPerStream(plan, options)),
        [shares = *shares_](std::vector<Quantiles>& columns, const std::vector<Stream>&) -> Result<Value> {
          std::vector<double> low, high;
          for (Quantiles& column : columns) {
            low.push_back(column.Quantile(shares[0]));
            high.push_back(column.Quantile(shares[1]));
          }
          return Value::Map().Set("low", LearnedList(low)).Set("high", LearnedList(high));
        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    const size_t count = plan.streams().size();
    std::vector<ClipTo> bounds(count, to_);
    if (learns()) {
      const std::vector<double> low = plan.learned().Numbers("low", static_cast<int64_t>(count));
      const std::vector<double> high = plan.learned().Numbers("high", static_cast<int64_t>(count));
      for (size_t i = 0; i < count; ++i) {
        bounds[i] = {low[i], high[i]};
        if (!(low[i] <= high[i])) plan.learned().Reject("low", "is not below `high`");
      }
      SLIPWAY_TRY(plan.learned().Finish());
    }
    YieldMap(plan, std::move(bounds));
    return {};
  }

 private:
  std::optional<std::vector<double>> shares_;
  ClipTo to_;
};

}  // namespace

ParsedStep ParseClip(StepReader& reader) {
  return std::make_unique<Clip>(reader);
}

}  // namespace slipway::features
