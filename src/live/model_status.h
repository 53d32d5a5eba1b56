#pragma once
// ModelStatus: what became of one bundle that this process was asked to serve.

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "live/lifecycle.h"

namespace slipway::live {

struct ModelStatus {
  int64_t id = 0;             ///< of this process's versions, rising
  std::string source, stamp;  ///< its path, and what its files looked like
  ModelState state = ModelState::kWanted;
  bool wanted = true;         ///< should be served; false while it waits for its replacement, or is on its way out
  std::string name, version;  ///< empty until known
  base::Error error;          ///< kFailed: why
  base::SteadyTime since;     ///< in this state
  int64_t bytes = 0;          ///< about what the loaded version takes
  int attempts = 0;           ///< loads that failed
  base::SteadyTime next_try = base::SteadyTime::max();  ///< kFailed: when to load it again by itself
};

}  // namespace slipway::live
