// spline: B-splines of a number, a smooth curve's columns for a linear model. Twin: SplineTransformer; the recursion
// and its order of operations are those of SciPy's BSpline (C. de Boor, "On calculating with B-splines", 1972).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "features/learn/linspace.h"
#include "features/learn/quantiles.h"
#include "features/learn/range.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

constexpr int64_t kMaxDegree = 5;
constexpr int64_t kMaxKnots = 4096;
constexpr double kNarrow = std::numeric_limits<double>::min();  // narrower knots are one: 1 / width would be infinite

enum class Beyond { kConstant, kLinear, kContinue, kPeriodic };

struct SplineShape {
  int64_t degree = 3;
  int64_t knots = 5;  // that span the training data
  Beyond beyond = Beyond::kConstant;
  bool bias = true;

  int64_t splines() const { return beyond == Beyond::kPeriodic ? knots - 1 : knots + degree - 1; }
  int64_t shown() const { return splines() - (bias ? 0 : 1); }
};

// The splines over one input's knots.
class Splines {
 public:
  Splines(const SplineShape& shape, const std::vector<double>& knots) : shape_(shape), knots_(Extend(shape, knots)) {
    if (shape.beyond != Beyond::kLinear) return;
    for (Edge* edge : {&low_, &high_}) {
      edge->at = edge == &low_ ? low() : high();
      edge->values.resize(static_cast<size_t>(shape.splines()));
      edge->slopes.resize(static_cast<size_t>(shape.splines()));
      AddSplines(edge->at, 0, edge->values);
      AddSplines(edge->at, 1, edge->slopes);
    }
  }

  bool finite() const {
    return std::ranges::all_of(knots_, [](double knot) { return std::isfinite(knot); });
  }

  // `row`: zeroes, one a spline that is shown.
  void Write(double x, std::span<double> row) const {
    const double at = Place(x);
    if (std::isnan(at)) {
      std::ranges::fill(row, std::numeric_limits<double>::quiet_NaN());
    } else if (shape_.beyond == Beyond::kLinear && (at < low() || at > high())) {
      WriteLine(at < low() ? low_ : high_, at, row);
    } else {
      AddSplines(at, 0, row);
    }
  }

 private:
  // Where a straight continuation starts, and how.
  struct Edge {
    double at = 0;
    std::vector<double> values, slopes;
  };

  double low() const { return knots_[static_cast<size_t>(shape_.degree)]; }
  double high() const { return knots_[static_cast<size_t>(shape_.degree + shape_.knots - 1)]; }

  // `degree` more knots on either side: periodic ones repeat, the others keep the distance of the outermost two.
  static std::vector<double> Extend(const SplineShape& shape, const std::vector<double>& knots) {
    const auto n = static_cast<int64_t>(knots.size());
    const auto at = [&](int64_t i) { return knots[static_cast<size_t>(i)]; };
    const double period = at(n - 1) - at(0), first = at(1) - at(0), last = at(n - 1) - at(n - 2);
    const auto degree = static_cast<double>(shape.degree);
    std::vector<double> all;
    for (int64_t i = 0; i < shape.degree; ++i) {
      all.push_back(shape.beyond == Beyond::kPeriodic
                        ? at(n - 1 - shape.degree + i) - period
                        : Linspace(at(0) - degree * first, at(0) - first, i, shape.degree));
    }
    all.insert(all.end(), knots.begin(), knots.end());
    for (int64_t i = 0; i < shape.degree; ++i) {
      all.push_back(shape.beyond == Beyond::kPeriodic
                        ? at(i + 1) + period
                        : Linspace(at(n - 1) + last, at(n - 1) + degree * last, i, shape.degree));
    }
    return all;
  }

  // Where the splines are looked up for x; NaN where they are not.
  double Place(double x) const {
    if (shape_.beyond == Beyond::kConstant) return x < low() ? low() : x > high() ? high() : x;
    if (std::isinf(x)) return std::numeric_limits<double>::quiet_NaN();
    if (shape_.beyond != Beyond::kPeriodic) return x;
    const double period = high() - low();
    if (period == 0) return low();
    const double rest = std::fmod(x - low(), period);
    return low() + (rest < 0 ? rest + period : rest);
  }

  static void WriteLine(const Edge& edge, double x, std::span<double> row) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (edge.values[i] != 0 || edge.slopes[i] != 0) row[i] = edge.values[i] + (x - edge.at) * edge.slopes[i];
    }
  }

  // Adds the degree + 1 splines that are not zero at x, or their slopes.
  void AddSplines(double x, int64_t derivative, std::span<double> row) const {
    const auto begin = knots_.begin() + shape_.degree;
    const auto found = std::upper_bound(begin + 1, begin + shape_.knots - 1, x);
    const int64_t interval = found - knots_.begin() - 1;
    std::array<double, kMaxDegree + 1> values{};
    DeBoor(x, interval, derivative, values);
    for (int64_t i = 0; i <= shape_.degree; ++i) {
      const auto column = static_cast<size_t>((interval - shape_.degree + i) % shape_.splines());
      if (column < row.size()) row[column] += values[static_cast<size_t>(i)];
    }
  }

  void DeBoor(double x, int64_t interval, int64_t derivative, std::array<double, kMaxDegree + 1>& values) const {
    values[0] = 1;
    for (int64_t j = 1; j <= shape_.degree; ++j) {
      const std::array<double, kMaxDegree + 1> lower = values;
      const bool slope = j > shape_.degree - derivative;
      values[0] = 0;
      for (int64_t n = 1; n <= j; ++n) {
        const auto i = static_cast<size_t>(n);
        const double b = knots_[static_cast<size_t>(interval + n)], a = knots_[static_cast<size_t>(interval + n - j)];
        values[i] = 0;
        if (b - a < kNarrow) continue;
        const double w = (slope ? static_cast<double>(j) * lower[i - 1] : lower[i - 1]) / (b - a);
        values[i - 1] += slope ? -w : w * (b - x);
        values[i] = slope ? w : w * (x - a);
      }
    }
  }

  SplineShape shape_;
  std::vector<double> knots_;
  Edge low_, high_;
};

class SplineKernel final : public Kernel {
 public:
  SplineKernel(const std::vector<Stream>& in, int out, int64_t columns, std::vector<Splines> splines)
      : out_(out), columns_(columns), splines_(std::move(splines)) {
    for (const Stream& stream : in) in_.push_back(stream.id);
  }
  void Run(Frame& frame) const override {
    const auto columns = static_cast<size_t>(columns_);
    double* out = frame.block(out_);
    std::fill_n(out, static_cast<size_t>(frame.rows) * columns * in_.size(), 0.0);
    for (size_t i = 0; i < in_.size(); ++i) {
      const double* in = frame.numbers(in_[i]);
      double* row = out + i * columns;
      for (int64_t r = 0; r < frame.rows; ++r, row += columns * in_.size()) splines_[i].Write(in[r], {row, columns});
    }
  }

 private:
  std::vector<int> in_;
  int out_;
  int64_t columns_;
  std::vector<Splines> splines_;
};

class Spline final : public NumericStep {
 public:
  explicit Spline(StepReader& reader) : NumericStep(reader.Inputs()) {
    shape_.degree = reader.Integer("degree", 3, 1, kMaxDegree);
    shape_.knots = reader.Integer("n_knots", 5, 2, kMaxKnots);
    shape_.bias = reader.Boolean("include_bias", true);
    const std::string beyond = reader.Choice("extrapolation", {"constant", "linear", "continue", "periodic"});
    shape_.beyond = beyond == "linear"     ? Beyond::kLinear
                    : beyond == "continue" ? Beyond::kContinue
                    : beyond == "periodic" ? Beyond::kPeriodic
                                           : Beyond::kConstant;
    ReadKnots(reader);
    if (shape_.beyond == Beyond::kPeriodic && shape_.knots <= shape_.degree) {
      reader.Reject("extrapolation", fmt::format("spline: {} knots are too few for periodic splines of degree {}; give "
                                                 "more knots than the degree",
                                                 shape_.knots, shape_.degree));
    }
    if (shape_.shown() < 1) reader.Reject("include_bias", "spline: without the last spline no column is left");
    if (!given_.empty() && !reader.failed() && !Splines(shape_, given_).finite())
      reader.Reject("knots", "spline: `knots` are too large to compute with");
  }
  bool learns() const override { return given_.empty(); }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    if (!quantile_) {
      return LearnStreams(plan, Range(), [this](std::vector<Range>& ranges, const std::vector<Stream>& streams) {
        return LearnKnots(ranges, streams,
                          [](Range& range, int64_t i, int64_t n) { return Linspace(range.min(), range.max(), i, n); });
      });
    }
    return LearnStreams(plan, Quantiles(ExactValuesPerStream(plan, options)),
                        [this](std::vector<Quantiles>& columns, const std::vector<Stream>& streams) {
                          return LearnKnots(columns, streams, [](Quantiles& column, int64_t i, int64_t n) {
                            return column.Quantile(100 * Linspace(0, 1, i, n) / 100);
                          });
                        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    const std::vector<Stream>& streams = plan.streams();
    std::vector<std::vector<double>> knots(streams.size(), given_);
    if (learns()) {
      knots = plan.learned().AscendingLists("knots", static_cast<int64_t>(streams.size()));
      for (const std::vector<double>& list : knots) {
        const bool usable = static_cast<int64_t>(list.size()) == shape_.knots && Splines(shape_, list).finite();
        if (!usable) plan.learned().Reject("knots", fmt::format("is not {} finite numbers", shape_.knots));
      }
      SLIPWAY_TRY(plan.learned().Finish());
    }
    std::vector<Splines> splines;
    std::vector<std::string> suffixes;
    for (size_t i = 0; i < streams.size(); ++i) {
      splines.emplace_back(shape_, knots[i]);
      const std::string prefix = streams.size() == 1 ? "" : "." + streams[i].name;
      for (int64_t j = 0; j < shape_.shown(); ++j) suffixes.push_back(fmt::format("{}.{}", prefix, j));
    }
    const int slot = plan.AddBlock(static_cast<int64_t>(suffixes.size()));
    plan.AddKernel(std::make_unique<SplineKernel>(streams, slot, shape_.shown(), std::move(splines)));
    if (suffixes.size() == 1) suffixes.clear();
    plan.Yield(slot, data::ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 protected:
  int64_t columns_per_input() const override { return shape_.shown(); }

 private:
  // `knots: quantile`, or the knots themselves.
  void ReadKnots(StepReader& reader) {
    const Value* knots = reader.Find("knots");
    if (knots == nullptr || !knots->is_list()) {
      quantile_ = reader.Choice("knots", {"uniform", "quantile"}) == "quantile";
      return;
    }
    given_ = reader.Numbers("knots").value_or(std::vector<double>{});
    if (reader.Find("n_knots") != nullptr)
      reader.Reject("n_knots", "spline: `knots` are given, so `n_knots` has nothing to say");
    shape_.knots = static_cast<int64_t>(given_.size());
    const bool ascends = std::ranges::adjacent_find(given_, std::greater_equal()) == given_.end();
    if (!ascends || shape_.knots < 2 || shape_.knots > kMaxKnots) {
      reader.Reject("knots", fmt::format("spline: `knots` are not 2 to {} ascending numbers; write e.g. knots: [0, 6, "
                                         "12, 18, 24]",
                                         kMaxKnots));
      shape_.knots = 5;
    }
  }

  template <typename Accumulator, typename Knot>
  Result<Value> LearnKnots(std::vector<Accumulator>& columns, const std::vector<Stream>& streams, Knot knot) const {
    Value list = Value::List();
    for (size_t i = 0; i < columns.size(); ++i) {
      std::vector<double> knots;
      for (int64_t k = 0; k < shape_.knots; ++k) knots.push_back(knot(columns[i], k, shape_.knots));
      if (!Splines(shape_, knots).finite()) return NotFinite(streams[i].name);
      list.Add(LearnedList(knots));
    }
    return Value::Map().Set("knots", std::move(list));
  }

  SplineShape shape_;
  bool quantile_ = false;
  std::vector<double> given_;
};

}  // namespace

ParsedStep ParseSpline(StepReader& reader) {
  return std::make_unique<Spline>(reader);
}

}  // namespace slipway::features
