// missing_indicator: 1 where a value is null or NaN. Twin: MissingIndicator(features="all").

#include <cmath>

#include "features/steps/steps.h"

namespace slipway::features {
namespace {

struct IsMissing {
  double operator()(double x) const { return std::isnan(x) ? 1 : 0; }
};

class MissingIndicator final : public Step {
 public:
  explicit MissingIndicator(StepReader& reader) : inputs_(reader.Inputs()) {}
  const std::vector<std::string>& inputs() const override { return inputs_; }

  base::Result<Shape> Check(std::span<const Input> inputs, const InReach&) const override {
    int64_t width = 0;
    for (const Input& input : inputs) {
      const bool text_vector = input.type == data::ScalarType::kString && input.width != 1;
      if (text_vector || (input.width < 0 && !input.is_feature))
        return WrongInput(input, "single values or vectors of numbers");
      width = width < 0 || input.width < 0 ? -1 : width + input.width;
    }
    return Shape{data::ScalarType::kNumber, width};
  }
  base::Result<void> Compile(StepPlan& plan) const override {
    YieldMap(plan, std::vector<IsMissing>(plan.streams().size()));
    return {};
  }

 private:
  std::vector<std::string> inputs_;
};

}  // namespace

ParsedStep ParseMissingIndicator(StepReader& reader) {
  return std::make_unique<MissingIndicator>(reader);
}

}  // namespace slipway::features
