#include "telemetry/trace_sampler.h"

#include <algorithm>
#include <cmath>

namespace slipway::telemetry {
namespace {

constexpr double kIds = 0x1p56;  // the last seven bytes of a trace id are random

}  // namespace

TraceSampler::TraceSampler(const SamplingOptions& options)
    : parent_based_(options.parent_based),
      threshold_(static_cast<uint64_t>(std::llround((1 - std::clamp(options.share, 0.0, 1.0)) * kIds))) {}

bool TraceSampler::SamplesId(const TraceContext& context) const {
  uint64_t id = 0;
  for (size_t i = 9; i < context.trace_id.size(); ++i) id = id << 8 | context.trace_id[i];
  return id >= threshold_;
}

}  // namespace slipway::telemetry
