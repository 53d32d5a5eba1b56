// normalize: the numbers of a row divided by their common norm. Twin: Normalizer.

#include <algorithm>
#include <cmath>
#include <limits>

#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;

// Where a norm overflows, the row is measured again at this scale: 65,536 squares of the largest double then stay
// finite.
constexpr double kShrink = 0x1p-540;

// A norm is a sum over the row, then a function of that sum.
struct L1 {
  static double Add(double sum, double x) { return sum + std::fabs(x); }
  static double Norm(double sum) { return sum; }
};
struct L2 {
  static double Add(double sum, double x) { return sum + x * x; }
  static double Norm(double sum) { return std::sqrt(sum); }
};
struct Max {
  static double Add(double sum, double x) { return std::isnan(sum) || std::fabs(x) <= sum ? sum : std::fabs(x); }
  static double Norm(double sum) { return sum; }
};

template <typename Measure>
class NormalizeKernel final : public Kernel {
 public:
  NormalizeKernel(const std::vector<Stream>& in, int norms, int out) : norms_(norms), out_(out) {
    for (const Stream& stream : in) in_.push_back(stream.id);
  }

  void Run(Frame& frame) const override {
    double* norms = frame.block(norms_);
    double* out = frame.block(out_);
    const size_t width = in_.size();
    std::fill_n(norms, frame.rows, 0.0);
    for (const int in : in_) {
      const double* x = frame.numbers(in);
      for (int64_t r = 0; r < frame.rows; ++r) norms[r] = Measure::Add(norms[r], x[r]);
    }
    for (int64_t r = 0; r < frame.rows; ++r) {
      const double full = Measure::Norm(norms[r]);
      const double scale = std::isinf(full) ? kShrink : 1;
      double norm = std::isinf(full) ? ShrunkNorm(frame, r) : full;
      if (norm < 10 * std::numeric_limits<double>::epsilon()) norm = 1;  // scikit-learn's guard for rows of zeroes
      double* row = out + r * static_cast<int64_t>(width);
      for (size_t i = 0; i < width; ++i) row[i] = frame.numbers(in_[i])[r] * scale / norm;
    }
  }

 private:
  double ShrunkNorm(const Frame& frame, int64_t row) const {
    double sum = 0;
    for (const int in : in_) sum = Measure::Add(sum, frame.numbers(in)[row] * kShrink);
    return Measure::Norm(sum);
  }

  std::vector<int> in_;
  int norms_, out_;
};

class Normalize final : public NumericStep {
 public:
  explicit Normalize(StepReader& reader)
      : NumericStep(reader.Inputs()), norm_(reader.Choice("norm", {"l2", "l1", "max"})) {}

  Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    SLIPWAY_ASSIGN(const Shape shape, NumericStep::Check(inputs, visible));
    if (shape.width == 1) {
      return WrongInput(inputs[0],
                        "two numbers a row or more, which it scales together; to scale one column over all rows "
                        "use standardize, min_max or max_abs");
    }
    return shape;
  }

  Result<void> Compile(StepPlan& plan) const override {
    const std::vector<Stream>& streams = plan.streams();
    const int norms = plan.AddBlock(1);
    const int slot = plan.AddBlock(static_cast<int64_t>(streams.size()));
    plan.AddKernel(norm_ == "l1"   ? MakeKernel<L1>(streams, norms, slot)
                   : norm_ == "l2" ? MakeKernel<L2>(streams, norms, slot)
                                   : MakeKernel<Max>(streams, norms, slot));
    plan.Yield(slot, data::ScalarType::kNumber, StreamSuffixes(streams));
    return {};
  }

 private:
  template <typename Measure>
  static std::unique_ptr<Kernel> MakeKernel(const std::vector<Stream>& streams, int norms, int out) {
    return std::make_unique<NormalizeKernel<Measure>>(streams, norms, out);
  }

  std::string norm_;
};

}  // namespace

ParsedStep ParseNormalize(StepReader& reader) {
  return std::make_unique<Normalize>(reader);
}

}  // namespace slipway::features
