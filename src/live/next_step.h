#pragma once
// NextStep: the policy of the live set, apart from its mechanism. What is ready goes on answering until something else
// of its name is ready, or nothing of its name is wanted any more.

#include <chrono>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/quantities.h"
#include "live/model_status.h"

namespace slipway::live {

struct Step {
  enum class Kind : uint8_t {
    kNothing,
    kKnow,      ///< wanted -> cold
    kLoad,      ///< wanted, cold or failed -> loading
    kPublish,   ///< resident -> ready
    kWithdraw,  ///< ready -> resident
    kEvict,     ///< ready -> cold
    kDrop,      ///< resident or cold -> draining; wanted or failed -> gone
  };
  Kind kind = Kind::kNothing;
  int64_t id = 0;
  friend bool operator==(const Step&, const Step&) = default;
};

struct Policy {
  base::Bytes resident;           ///< what versions that are no longer wanted may keep of the memory
  bool lazy = false;              ///< versions are loaded when they are called
  base::Bytes loaded{INT64_MAX};  ///< lazily: what versions that are ready may take of the memory
};

/// A version that was just loaded stays so long, or as long as its loading took, whichever is more: what was paid for
/// should have been of use.
inline constexpr std::chrono::milliseconds kLeastStay{100};

/// The most useful step now: what makes answers right first, what costs time last.
///
/// Lazily, the version that most calls wait for is loaded next, once there is room. Room is made by the version that is
/// least worth its place: the one with the greatest
///
///     (time since its last call) * (bytes that it takes) / (time that loading it takes)
///
/// The longer it was not called, the longer it will probably not be called, and all that time its bytes would be taken
/// to save one load. Versions with calls in flight stay, and those loaded just now. What is larger than all the memory
/// there is for models is loaded alone.
Step NextStep(std::span<const ModelStatus> versions, base::SteadyTime now, const Policy& policy);

}  // namespace slipway::live
