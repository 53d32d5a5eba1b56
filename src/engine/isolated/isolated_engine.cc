#include "engine/isolated/isolated_engine.h"

#include <algorithm>
#include <string>
#include <utility>

namespace slipway::engine::isolated {

using base::Code;

base::Result<void> IsolatedSession::Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                                        const base::Deadline& deadline) {
  if (deadline.Stopped()) return base::Fail(Code::kCancelled, "engine.cancelled", "stopped before the model ran");
  if (deadline.Expired()) {
    return base::Fail(Code::kDeadlineExceeded, "engine.deadline", "the time was over before the model ran");
  }
  const ModelInfo& info = supervisor_->info();
  if (inputs.size() != info.inputs.size() || outputs.size() != info.outputs.size()) {
    return base::Fail(Code::kInternal, "engine.input", "wrong number of inputs or outputs for this model");
  }
  if (way_.lane == nullptr || way_.process != supervisor_->up()) {
    way_ = {};
    SLIPWAY_ASSIGN(way_, supervisor_->Open());
  }
  base::Deadline bounded = deadline, own = deadline;
  own.at = deadline.clock->Now() + supervisor_->options().run_time;
  if (deadline.at == base::SteadyTime::max()) bounded.at = own.at;
  auto ran = way_.lane->Run(inputs, info.outputs, outputs, bounded);
  // A caller who gave it less has gone; the calls beside his need the process.
  if (!ran) return std::unexpected(Explain(ran.error(), std::max(RealTime(bounded), RealTime(own))));
  return *std::move(ran);
}

base::Error IsolatedSession::Explain(const LaneFault& fault, base::SteadyTime until) {
  const Way way = way_;
  switch (fault.what) {
    case LaneFault::What::kLate:
      supervisor_->Watch(way, until);
      return {Code::kDeadlineExceeded,
              "engine.deadline",
              "the model's run did not end within its time; send fewer rows or raise limits.timeout",
              {}};
    case LaneFault::What::kStopped:
      supervisor_->Watch(way, until);
      way_ = {};  // the next run need not wait for this one
      return {Code::kCancelled, "engine.cancelled", "the model's run was stopped", {}};
    case LaneFault::What::kMemory:
      way_ = {};
      return {Code::kResourceExhausted, "engine.memory", fault.text, {}};
    case LaneFault::What::kViolation:
      supervisor_->Condemn(way.process, "protocol", "it was killed because its answer is no answer: " + fault.text);
      break;
    case LaneFault::What::kGone:
      break;
  }
  way_ = {};
  return supervisor_->WhyGone(way.process);
}

}  // namespace slipway::engine::isolated
