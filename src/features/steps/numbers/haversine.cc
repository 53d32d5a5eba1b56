// haversine: the distance between two points on the globe. Twin: haversine_distances (which takes radians).

#include "expr/haversine.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

class HaversineKernel final : public Kernel {
 public:
  HaversineKernel(const std::vector<Stream>& in, int out, double radius) : out_(out), radius_(radius) {
    for (size_t i = 0; i < 4; ++i) in_[i] = in[i].id;
  }
  void Run(Frame& frame) const override {
    const double *a = frame.numbers(in_[0]), *b = frame.numbers(in_[1]), *c = frame.numbers(in_[2]),
                 *d = frame.numbers(in_[3]);
    double* out = frame.block(out_);
    for (int64_t r = 0; r < frame.rows; ++r) {
      out[r] = radius_ * expr::HaversineAngle(a[r], b[r], c[r], d[r]);
    }
  }

 private:
  int in_[4];
  int out_;
  double radius_;
};

class Haversine final : public NumericStep {
 public:
  explicit Haversine(StepReader& reader) : NumericStep(reader.Inputs(4, 4)) {
    const std::string unit = reader.Choice("unit", {"km", "m", "mi"});
    radius_ = unit == "km"  ? expr::kEarthRadiusKm
              : unit == "m" ? expr::kEarthRadiusKm * 1000
                            : expr::kEarthRadiusKm / 1.609344;
  }
  base::Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    SLIPWAY_TRY(NumericStep::Check(inputs, visible));
    for (const Input& input : inputs) {
      if (input.width != 1) return WrongInput(input, "four single numbers: latitude, longitude, latitude, longitude");
    }
    return Shape{};
  }
  base::Result<void> Compile(StepPlan& plan) const override {
    const int slot = plan.AddBlock(1);
    plan.AddKernel(std::make_unique<HaversineKernel>(plan.streams(), slot, radius_));
    plan.Yield(slot, data::ScalarType::kNumber);
    return {};
  }

 private:
  double radius_;
};

}  // namespace

ParsedStep ParseHaversine(StepReader& reader) {
  return std::make_unique<Haversine>(reader);
}

}  // namespace slipway::features
