// column: a column (or an earlier feature) as it is, under a name of its own.

#include "features/steps/steps.h"

namespace slipway::features {
namespace {

class PassThrough final : public Step {
 public:
  explicit PassThrough(StepReader& reader) : inputs_(reader.Inputs(1, 1)) {}
  const std::vector<std::string>& inputs() const override { return inputs_; }

  base::Result<Shape> Check(std::span<const Input> inputs, const InReach&) const override {
    const Input& input = inputs[0];
    if (input.width < 0 && !input.is_feature)
      return WrongInput(input, "values of a fixed size; give the tensor to the model directly");
    return Shape{input.type, input.width, input.zone_minutes};
  }
  base::Result<void> Compile(StepPlan& plan) const override {
    const Input& input = plan.inputs()[0];
    std::vector<std::string> suffixes;
    for (int64_t i = 0; i < input.width && !input.columns.empty(); ++i) {
      suffixes.push_back("." + (input.elements.empty() ? std::to_string(i) : input.elements[static_cast<size_t>(i)]));
    }
    plan.Yield(input.slot, input.type, std::move(suffixes));
    return {};
  }

 private:
  std::vector<std::string> inputs_;
};

}  // namespace

ParsedStep ParseColumn(StepReader& reader) {
  return std::make_unique<PassThrough>(reader);
}

}  // namespace slipway::features
