#pragma once
// FakeEngine: a model made of a function, for tests of whatever stands around engines.

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace slipway::scoring {

/// Computes the outputs of one run from its inputs.
using FakeRun = std::function<base::Result<void>(std::span<const engine::TensorView>, std::span<engine::Tensor>)>;

class FakeSession final : public engine::Session {
 public:
  explicit FakeSession(FakeRun run) : run_(std::move(run)) {}
  base::Result<void> Run(std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs,
                         const base::Deadline&) override {
    return run_(inputs, outputs);
  }

 private:
  FakeRun run_;
};

class FakeEngine final : public engine::Engine {
 public:
  FakeEngine(engine::ModelInfo info, FakeRun run) : info_(std::move(info)), run_(std::move(run)) {}
  const engine::ModelInfo& info() const override { return info_; }
  base::Result<std::unique_ptr<engine::Session>> NewSession() const override {
    return std::make_unique<FakeSession>(run_);
  }

 private:
  engine::ModelInfo info_;
  FakeRun run_;
};

/// A tensor of single precision, row-major.
inline void Fill(engine::Tensor& tensor, std::vector<int64_t> shape, const std::vector<float>& values) {
  tensor.type = engine::ElementType::kFloat32;
  tensor.shape = std::move(shape);
  tensor.data.resize(values.size() * sizeof(float));
  std::copy_n(reinterpret_cast<const std::byte*>(values.data()), tensor.data.size(), tensor.data.begin());
}

}  // namespace slipway::scoring
