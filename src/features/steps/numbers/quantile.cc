// quantile: numbers to their rank in the training data, evenly or normally spread. Twin: QuantileTransformer with
// subsample=None.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "features/learn/linspace.h"
#include "features/learn/normal.h"
#include "features/learn/quantiles.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

constexpr double kBoundsThreshold = 1e-7;

// What is learned about one input: how many rows there were, and quantiles.
class RankedColumn {
 public:
  explicit RankedColumn(int64_t budget) : quantiles_(budget) {}
  void Add(double x) { quantiles_.Add(x); }
  void AddRows(int64_t rows) { rows_ += rows; }
  int64_t count() const { return quantiles_.count(); }
  int64_t rows() const { return rows_; }
  Quantiles& quantiles() { return quantiles_; }

 private:
  Quantiles quantiles_;
  int64_t rows_ = 0;
};

// Interpolates along ascending xs as numpy.interp does; sign -1 reads both lists from the back with changed signs.
struct Interpolation {
  const std::vector<double>& xs;
  const std::vector<double>& ys;

  // The line through two points, at x.
  static double Line(double x, double x0, double y0, double x1, double y1) {
    if (std::isinf(x1 - x0)) return (x / 2 - x0 / 2) / (x1 / 2 - x0 / 2) * (y1 - y0) + y0;
    return (y1 - y0) / (x1 - x0) * (x - x0) + y0;
  }

  double Forward(double x) const {
    const size_t n = xs.size();
    const auto after = static_cast<size_t>(std::ranges::upper_bound(xs, x) - xs.begin());
    if (after == 0) return ys[0];
    if (after == n || xs[after - 1] == x) return ys[after - 1];
    return Line(x, xs[after - 1], ys[after - 1], xs[after], ys[after]);
  }
  double Backward(double x) const {
    const size_t n = xs.size();
    const auto at = static_cast<size_t>(std::ranges::lower_bound(xs, x) - xs.begin());
    if (at == n) return -ys[n - 1];
    if (at == 0 || xs[at] == x) return -ys[at];
    return Line(-x, -xs[at], -ys[at], -xs[at - 1], -ys[at - 1]);
  }
};

struct ToRank {
  std::shared_ptr<const std::vector<double>> references;
  std::vector<double> quantiles;
  bool normal;

  double operator()(double x) const {
    if (std::isnan(x)) return x;
    const double low = quantiles.front(), high = quantiles.back();
    double y;
    if (normal ? x - kBoundsThreshold < low : x == low) {
      y = 0;
    } else if (normal ? x + kBoundsThreshold > high : x == high) {
      y = 1;
    } else {
      const Interpolation interpolation{quantiles, *references};
      y = 0.5 * (interpolation.Forward(x) - interpolation.Backward(x));
    }
    if (!normal) return y;
    static const double kLow = NormalQuantile(kBoundsThreshold - 0x1p-52);
    static const double kHigh = NormalQuantile(1 - (kBoundsThreshold - 0x1p-52));
    return std::clamp(NormalQuantile(y), kLow, kHigh);
  }
};

class RankKernel final : public Kernel {
 public:
  RankKernel(const std::vector<Stream>& in, int out, std::vector<ToRank> ops) : out_(out), ops_(std::move(ops)) {
    for (const Stream& stream : in) in_.push_back(stream.id);
  }
  void Run(Frame& frame) const override {
    for (size_t i = 0; i < ops_.size(); ++i) {
      const double* in = frame.numbers(in_[i]);
      double* out = frame.block(out_) + i;
      for (int64_t r = 0; r < frame.rows; ++r, out += ops_.size()) *out = ops_[i](in[r]);
    }
  }

 private:
  std::vector<int> in_;
  int out_;
  std::vector<ToRank> ops_;
};

class Quantile final : public NumericStep {
 public:
  explicit Quantile(StepReader& reader)
      : NumericStep(reader.Inputs()),
        wanted_(reader.Integer("n_quantiles", 1000, 2, 100'000)),
        normal_(reader.Choice("output", {"uniform", "normal"}) == "normal") {}
  bool learns() const override { return true; }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    const RankedColumn fresh(ExactValuesPerStream(plan, options));
    return LearnStreams(
        plan, fresh,
        [wanted = wanted_](std::vector<RankedColumn>& columns, const std::vector<Stream>&) -> Result<Value> {
          Value list = Value::List();
          for (RankedColumn& column : columns) {
            const int64_t n = std::min(wanted, column.rows());
            std::vector<double> quantiles;
            double floor = -HUGE_VAL;
            for (int64_t i = 0; i < n; ++i) {
              floor = std::max(floor, column.quantiles().Quantile(Linspace(0, 1, i, n) * 100 / 100));
              quantiles.push_back(floor);
            }
            list.Add(LearnedList(quantiles));
          }
          return Value::Map().Set("quantiles", std::move(list));
        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    const std::vector<Stream>& streams = plan.streams();
    std::vector<std::vector<double>> lists =
        plan.learned().AscendingLists("quantiles", static_cast<int64_t>(streams.size()));
    std::vector<ToRank> ops;
    for (std::vector<double>& list : lists) {
      if (list.empty()) plan.learned().Reject("quantiles", "holds an empty list");
      SLIPWAY_TRY(plan.learned().Finish());
      ToRank op{.quantiles = std::move(list), .normal = normal_};
      const auto n = static_cast<int64_t>(op.quantiles.size());
      std::vector<double> references;
      for (int64_t i = 0; i < n; ++i) references.push_back(Linspace(0, 1, i, n));
      op.references = std::make_shared<const std::vector<double>>(std::move(references));
      ops.push_back(std::move(op));
    }
    const int slot = plan.AddBlock(static_cast<int64_t>(ops.size()));
    plan.AddKernel(std::make_unique<RankKernel>(streams, slot, std::move(ops)));
    plan.Yield(slot, data::ScalarType::kNumber, StreamSuffixes(streams));
    return {};
  }

 private:
  int64_t wanted_;
  bool normal_;
};

}  // namespace

ParsedStep ParseQuantile(StepReader& reader) {
  return std::make_unique<Quantile>(reader);
}

}  // namespace slipway::features
