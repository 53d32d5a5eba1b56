// log1p, cyclical: fixed functions of one number. Twin: FunctionTransformer.

#include <cmath>
#include <numbers>

#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;

struct LogOnePlus {
  double operator()(double x) const { return std::log1p(x); }
};

class Log1p final : public NumericStep {
 public:
  explicit Log1p(StepReader& reader) : NumericStep(reader.Inputs()) {}
  Result<void> Compile(StepPlan& plan) const override {
    YieldMap(plan, std::vector<LogOnePlus>(plan.streams().size()));
    return {};
  }
};

// Two columns an input: sine and cosine of the angle on a circle of `period`.
class CyclicalKernel final : public Kernel {
 public:
  CyclicalKernel(const std::vector<Stream>& in, int out, double period) : out_(out), period_(period) {
    for (const Stream& stream : in) in_.push_back(stream.id);
  }
  void Run(Frame& frame) const override {
    const auto stride = static_cast<int64_t>(in_.size()) * 2;
    for (size_t i = 0; i < in_.size(); ++i) {
      const double* in = frame.numbers(in_[i]);
      double* out = frame.block(out_) + 2 * i;
      for (int64_t r = 0; r < frame.rows; ++r, out += stride) {
        const double x = std::fabs(in[r]) < period_ ? in[r] : std::fmod(in[r], period_);
        const double angle = x / period_ * (2 * std::numbers::pi);
        out[0] = std::sin(angle);
        out[1] = std::cos(angle);
      }
    }
  }

 private:
  std::vector<int> in_;
  int out_;
  double period_;
};

class Cyclical final : public NumericStep {
 public:
  explicit Cyclical(StepReader& reader) : NumericStep(reader.Inputs()) {
    period_ = reader.Number("period", 0);
    if (!(period_ > 0))
      reader.Reject("period", "cyclical: `period` is missing or not above 0; write e.g. period: 24 for hours");
  }
  Result<void> Compile(StepPlan& plan) const override {
    const std::vector<Stream>& streams = plan.streams();
    const int slot = plan.AddBlock(static_cast<int64_t>(streams.size()) * 2);
    plan.AddKernel(std::make_unique<CyclicalKernel>(streams, slot, period_));
    std::vector<std::string> suffixes;
    for (const Stream& stream : streams) {
      const std::string prefix = streams.size() == 1 ? "" : "." + stream.name;
      suffixes.push_back(prefix + ".sin");
      suffixes.push_back(prefix + ".cos");
    }
    plan.Yield(slot, data::ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 protected:
  int64_t columns_per_input() const override { return 2; }

 private:
  double period_;
};

}  // namespace

ParsedStep ParseLog1p(StepReader& reader) {
  return std::make_unique<Log1p>(reader);
}
ParsedStep ParseCyclical(StepReader& reader) {
  return std::make_unique<Cyclical>(reader);
}

}  // namespace slipway::features
