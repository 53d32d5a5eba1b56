#pragma once
// TraceSampler: which traces are recorded. A trace that began elsewhere is decided on there; a new one is drawn by its
// id, as OpenTelemetry does it, so that every program that draws by the same share keeps the same traces.

#include <cstdint>

#include "telemetry/trace_context.h"

namespace slipway::telemetry {

struct SamplingOptions {
  double share = 0.01;       ///< of new traces, 0 to 1
  bool parent_based = true;  ///< a caller's sampled flag decides; false: the share decides on every trace
};

/// Immutable; thread-safe.
class TraceSampler {
 public:
  explicit TraceSampler(const SamplingOptions& options);

  /// For a request that is part of a trace.
  bool SamplesChildOf(const TraceContext& parent) const { return parent_based_ ? parent.sampled() : SamplesId(parent); }
  /// For a trace that begins here.
  bool SamplesRoot(const TraceContext& root) const { return SamplesId(root); }

 private:
  bool SamplesId(const TraceContext& context) const;
  bool parent_based_;
  uint64_t threshold_;  ///< of the id's last 56 bits, those at or above it are kept
};

}  // namespace slipway::telemetry
