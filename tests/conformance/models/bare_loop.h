#pragma once
// BareLoop runs a model through ONNX Runtime's C API in the cheapest way there is, to measure the engine against:
// values bound once, inputs copied in, the outputs preallocated. Numeric inputs and outputs only.

#include <memory>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace slipway::conformance {

class BareLoop {
 public:
  explicit BareLoop(const std::string& model);
  ~BareLoop();
  /// Aborts when the model fails. All calls have the same shapes.
  void Run(const std::vector<engine::TensorView>& inputs);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::conformance
