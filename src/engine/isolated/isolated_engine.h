#pragma once
// IsolatedEngine: the engine as the server sees it, whose sessions lead into the process that runs the model.

#include <memory>
#include <utility>

#include "engine/engine.h"
#include "engine/isolated/supervisor.h"

namespace slipway::engine::isolated {

/// Errors of Run(): those of the engine inside; "engine.deadline", "engine.cancelled"; unavailable "engine.crashed"
/// when the process ends meanwhile, and at once while it is down.
class IsolatedSession final : public Session {
 public:
  explicit IsolatedSession(std::shared_ptr<Supervisor> supervisor) : supervisor_(std::move(supervisor)) {}
  base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                         const base::Deadline& deadline) override;

 private:
  base::Error Explain(const LaneFault& fault, base::SteadyTime until);
  const std::shared_ptr<Supervisor> supervisor_;
  Way way_;  ///< of the process that was up at the last run
};

class IsolatedEngine final : public Engine {
 public:
  explicit IsolatedEngine(std::shared_ptr<Supervisor> supervisor) : supervisor_(std::move(supervisor)) {}
  const ModelInfo& info() const override { return supervisor_->info(); }
  std::optional<ProcessReading> process() const override { return supervisor_->Read(); }
  base::Result<std::unique_ptr<Session>> NewSession() const override {
    return std::make_unique<IsolatedSession>(supervisor_);
  }

 private:
  const std::shared_ptr<Supervisor> supervisor_;
};

}  // namespace slipway::engine::isolated
