#pragma once
// NextStep: the policy of the live set, apart from its mechanism. What is ready goes on answering until something else
// of its name is ready, or nothing of its name is wanted any more.

#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/quantities.h"
#include "live/model_status.h"

namespace slipway::live {

struct Step {
  enum class Kind : uint8_t {
    kNothing,
    kLoad,      ///< wanted or failed -> loading
    kPublish,   ///< resident -> ready
    kWithdraw,  ///< ready -> resident
    kDrop,      ///< resident -> draining; wanted or failed -> gone
  };
  Kind kind = Kind::kNothing;
  int64_t id = 0;
  friend bool operator==(const Step&, const Step&) = default;
};

/// The most useful step now: what makes answers right first, what costs time last. `resident`: what versions that are
/// no longer wanted may keep of the memory.
Step NextStep(std::span<const ModelStatus> versions, base::SteadyTime now, base::Bytes resident);

}  // namespace slipway::live
