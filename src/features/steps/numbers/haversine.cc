// haversine: the distance between two points on the globe. Twin: haversine_distances (which takes radians).

#include <algorithm>
#include <cmath>
#include <numbers>

#include "features/steps/steps.h"

namespace slipway::features {
namespace {

constexpr double kRadiusKilometres = 6371.0088;  // mean radius of the earth, IUGG
constexpr double kRadian = std::numbers::pi / 180;

// The formula and its order of operations are those of scikit-learn's metric.
double OnUnitSphere(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  const double sin_latitude = std::sin(0.5 * (latitude_a - latitude_b));
  const double sin_longitude = std::sin(0.5 * (longitude_a - longitude_b));
  const double squared =
      sin_latitude * sin_latitude + std::cos(latitude_a) * std::cos(latitude_b) * sin_longitude * sin_longitude;
  return 2 * std::asin(std::sqrt(squared > 1 ? 1 : squared));
}

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
      out[r] = radius_ * OnUnitSphere(a[r] * kRadian, b[r] * kRadian, c[r] * kRadian, d[r] * kRadian);
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
    radius_ = unit == "km" ? kRadiusKilometres : unit == "m" ? kRadiusKilometres * 1000 : kRadiusKilometres / 1.609344;
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
