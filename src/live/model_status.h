#pragma once
// ModelStatus: what became of one bundle that this process was asked to serve.

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "live/lifecycle.h"

namespace slipway::live {

/// What calls make of a version, as far as whoever reads the status knows.
struct ModelUse {
  int64_t waiting = 0;    ///< calls that wait for it to be loaded
  int64_t in_flight = 0;  ///< calls begun and not ended, and those that wait for a thread
  base::SteadyTime last;  ///< the end of the last call
};

struct ModelStatus {
  int64_t id = 0;             ///< of this process's versions, rising
  std::string source, stamp;  ///< its path, and what its files looked like
  ModelState state = ModelState::kWanted;
  bool wanted = true;         ///< should be served; false while it waits for its replacement, or is on its way out
  std::string name, version;  ///< empty until known
  base::Error error;          ///< kFailed: why
  base::SteadyTime since;     ///< in this state
  int64_t bytes = 0;          ///< about what the version takes when it is loaded
  int attempts = 0;           ///< loads that failed
  base::SteadyTime next_try = base::SteadyTime::max();  ///< kFailed: when to load it again by itself
  int index = -1;                                       ///< LoadedModel::index of what callers find
  std::chrono::nanoseconds load_time{0};                ///< that it took when it was loaded last
  bool shown = false;  ///< kCold: callers find it; if not, a loaded version of its name answers until it is loaded too
  bool asked = false;  ///< kCold: should be loaded now, without a call that waits
  ModelUse use;        ///< empty unless the reader has filled it in
};

}  // namespace slipway::live
