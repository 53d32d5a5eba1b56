#pragma once
// StreamLearner feeds the finite values of each input of a numeric step to one accumulator. NaN and infinities are left
// out, as scikit-learn leaves out NaN.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "features/step.h"

namespace slipway::features {

inline std::unexpected<base::Error> NothingLearned(std::string_view name, std::string_view what = "finite value") {
  return base::Fail(
      base::Code::kInvalidArgument, "features.nothing_learned",
      fmt::format("no row has a {} of \"{}\", so there is nothing to learn; check the data or leave the step out", what,
                  name));
}

inline std::unexpected<base::Error> NotFinite(std::string_view name) {
  return base::Fail(
      base::Code::kInvalidArgument, "features.not_finite",
      fmt::format("the values of \"{}\" are too large to learn from; put a clip or log1p step before", name));
}

/// `Accumulator` has Add(double), count() and, if it wants the number of rows with all the missing ones,
/// AddRows(int64_t). `Conclude` turns the accumulators, one a stream, all with count() > 0, into the parameters:
/// Result<Value>(std::vector<Accumulator>&, const std::vector<Stream>&).
template <typename Accumulator, typename Conclude>
class StreamLearner final : public Learner {
 public:
  StreamLearner(std::vector<Stream> streams, const Accumulator& fresh, Conclude conclude)
      : streams_(std::move(streams)), accumulators_(streams_.size(), fresh), conclude_(std::move(conclude)) {}

  base::Result<void> Add(const Frame& frame, const double*) override {
    for (size_t i = 0; i < streams_.size(); ++i) {
      const double* values = frame.numbers(streams_[i].id);
      Accumulator& accumulator = accumulators_[i];
      for (int64_t r = 0; r < frame.rows; ++r) {
        if (std::isfinite(values[r])) accumulator.Add(values[r]);
      }
      if constexpr (requires { accumulator.AddRows(frame.rows); }) accumulator.AddRows(frame.rows);
    }
    return {};
  }

  base::Result<base::Value> Finish() override {
    for (size_t i = 0; i < streams_.size(); ++i) {
      if (accumulators_[i].count() == 0) return NothingLearned(streams_[i].name);
    }
    return conclude_(accumulators_, streams_);
  }

 private:
  std::vector<Stream> streams_;
  std::vector<Accumulator> accumulators_;
  Conclude conclude_;
};

template <typename Accumulator, typename Conclude>
std::unique_ptr<Learner> LearnStreams(StepPlan& plan, const Accumulator& fresh, Conclude conclude) {
  return std::make_unique<StreamLearner<Accumulator, Conclude>>(plan.streams(), fresh, std::move(conclude));
}

/// How many values each stream of a step may keep exactly.
inline int64_t ExactValuesPerStream(StepPlan& plan, const FitOptions& options) {
  return options.exact_values / static_cast<int64_t>(std::max<size_t>(plan.streams().size(), 1));
}

}  // namespace slipway::features
