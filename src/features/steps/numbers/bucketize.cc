// bucketize: numbers to bins, with edges given or learned. Twins: numpy.digitize, KBinsDiscretizer.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "features/learn/linspace.h"
#include "features/learn/quantiles.h"
#include "features/learn/stream_learner.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;

constexpr int64_t kMaxBins = 4096;

// One input's inner edges; a value falls into the bin numbered by how many of them it reaches.
struct Bins {
  int stream;
  std::vector<double> edges;
  int64_t first_column = 0;

  int64_t count() const { return static_cast<int64_t>(edges.size()) + 1; }
  int64_t Of(double x) const { return std::ranges::upper_bound(edges, x) - edges.begin(); }
};

class BinKernel final : public Kernel {
 public:
  BinKernel(std::vector<Bins> bins, int out, int64_t width, bool one_hot)
      : bins_(std::move(bins)), out_(out), width_(width), one_hot_(one_hot) {}

  void Run(Frame& frame) const override {
    double* out = frame.block(out_);
    if (one_hot_) std::fill_n(out, frame.rows * width_, 0.0);
    for (const Bins& bins : bins_) {
      const double* in = frame.numbers(bins.stream);
      for (int64_t r = 0; r < frame.rows; ++r) {
        double* row = out + r * width_ + bins.first_column;
        if (one_hot_) {
          if (!std::isnan(in[r])) row[bins.Of(in[r])] = 1;
        } else {
          *row = std::isnan(in[r]) ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(bins.Of(in[r]));
        }
      }
    }
  }

 private:
  std::vector<Bins> bins_;
  int out_;
  int64_t width_;
  bool one_hot_;
};

class Bucketize final : public NumericStep {
 public:
  explicit Bucketize(StepReader& reader) : NumericStep(reader.Inputs()) {
    const auto edges = reader.Numbers("edges");
    bins_ = reader.Integer("bins", 5, 2, kMaxBins);
    uniform_ = reader.Choice("strategy", {"quantile", "uniform"}) == "uniform";
    const bool bins_given = reader.Find("bins") != nullptr || reader.Find("strategy") != nullptr;
    if (edges && bins_given)
      reader.Reject("edges", "bucketize: `edges` are given, so `bins` and `strategy` have nothing to say");
    if (edges && (edges->empty() || edges->size() > kMaxBins)) {
      reader.Reject("edges", fmt::format("bucketize: `edges` has {} entries; write 1 to {}", edges->size(), kMaxBins));
    }
    if (edges && std::ranges::adjacent_find(*edges, std::greater_equal()) != edges->end()) {
      reader.Reject("edges", "bucketize: `edges` do not ascend");
    }
    fixed_ = edges.has_value();
    edges_ = edges.value_or(std::vector<double>{});
    // The defaults of the twins: numpy.digitize numbers the bins, KBinsDiscretizer gives each a column.
    one_hot_ = (fixed_ ? reader.Choice("output", {"ordinal", "one_hot"})
                       : reader.Choice("output", {"one_hot", "ordinal"})) == "one_hot";
  }
  bool learns() const override { return !fixed_; }

  Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    SLIPWAY_ASSIGN(Shape shape, NumericStep::Check(inputs, visible));
    if (one_hot_) shape.width = fixed_ && shape.width > 0 ? shape.width * static_cast<int64_t>(edges_.size() + 1) : -1;
    return shape;
  }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    const Quantiles fresh(ExactValuesPerStream(plan, options));
    return LearnStreams(plan, fresh,
                        [this](std::vector<Quantiles>& columns, const std::vector<Stream>& streams) -> Result<Value> {
                          Value list = Value::List();
                          for (size_t i = 0; i < columns.size(); ++i) {
                            const std::vector<double> edges = LearnEdges(columns[i]);
                            if (!std::ranges::all_of(edges, [](double edge) { return std::isfinite(edge); }))
                              return NotFinite(streams[i].name);
                            list.Add(LearnedList(edges));
                          }
                          return Value::Map().Set("edges", std::move(list));
                        });
  }

  Result<void> Compile(StepPlan& plan) const override {
    const std::vector<Stream>& streams = plan.streams();
    std::vector<std::vector<double>> edges(streams.size(), edges_);
    if (!fixed_) edges = plan.learned().AscendingLists("edges", static_cast<int64_t>(streams.size()));
    std::vector<Bins> all;
    for (size_t i = 0; i < streams.size(); ++i) {
      if (edges[i].size() > kMaxBins) plan.learned().Reject("edges", fmt::format("has more than {} entries", kMaxBins));
      all.push_back({.stream = streams[i].id, .edges = std::move(edges[i])});
    }
    if (!fixed_) SLIPWAY_TRY(plan.learned().Finish());
    std::vector<std::string> suffixes = one_hot_ ? OneHotSuffixes(all, streams) : StreamSuffixes(streams);
    const auto width = static_cast<int64_t>(std::max<size_t>(suffixes.size(), 1));
    for (size_t i = 0; i + 1 < all.size(); ++i)
      all[i + 1].first_column = all[i].first_column + (one_hot_ ? all[i].count() : 1);
    if (width > kMaxWidth)
      return std::unexpected(plan.Fault("features.limit", fmt::format("feature \"{}\" has {} bins", plan.as(), width)));
    const int slot = plan.AddBlock(width);
    plan.AddKernel(std::make_unique<BinKernel>(std::move(all), slot, width, one_hot_));
    plan.Yield(slot, data::ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 private:
  // The inner edges of KBinsDiscretizer: without the outermost two, and without bins narrower than 1e-8.
  std::vector<double> LearnEdges(Quantiles& column) const {
    const double low = column.min(), high = column.max();
    std::vector<double> edges;
    if (low == high) return edges;
    for (int64_t i = 0; i <= bins_; ++i) {
      edges.push_back(uniform_ ? Linspace(low, high, i, bins_ + 1)
                               : column.Quantile(Linspace(0, 100, i, bins_ + 1) / 100));
    }
    if (!uniform_) {
      std::vector<double> wide{edges[0]};
      for (size_t i = 1; i < edges.size(); ++i) {
        if (edges[i] - edges[i - 1] > 1e-8) wide.push_back(edges[i]);
      }
      edges = std::move(wide);
    }
    if (edges.size() <= 2) return {};
    return {edges.begin() + 1, edges.end() - 1};
  }

  static std::vector<std::string> OneHotSuffixes(const std::vector<Bins>& all, const std::vector<Stream>& streams) {
    std::vector<std::string> suffixes;
    for (size_t i = 0; i < all.size(); ++i) {
      const std::string prefix = (streams.size() == 1 ? "" : "." + streams[i].name) + "=";
      const std::vector<double>& edges = all[i].edges;
      for (size_t bin = 0; bin <= edges.size(); ++bin) {
        if (edges.empty())
          suffixes.push_back(prefix + "any");
        else if (bin == 0)
          suffixes.push_back(fmt::format("{}<{}", prefix, edges[0]));
        else if (bin == edges.size())
          suffixes.push_back(fmt::format("{}>={}", prefix, edges.back()));
        else
          suffixes.push_back(fmt::format("{}[{},{})", prefix, edges[bin - 1], edges[bin]));
      }
    }
    return suffixes;
  }

  int64_t bins_ = 5;
  bool uniform_ = false, fixed_ = false, one_hot_ = false;
  std::vector<double> edges_;
};

}  // namespace

ParsedStep ParseBucketize(StepReader& reader) {
  return std::make_unique<Bucketize>(reader);
}

}  // namespace slipway::features
