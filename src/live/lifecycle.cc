#include "live/lifecycle.h"

namespace slipway::live {

std::string_view ModelStateName(ModelState state) {
  constexpr std::string_view kNames[] = {"wanted", "cold",     "loading",  "ready",
                                         "failed", "resident", "draining", "gone"};
  return kNames[static_cast<size_t>(state)];
}

bool MayFollow(ModelState from, ModelState to) {
  using enum ModelState;
  switch (from) {
    case kWanted:
      return to == kCold || to == kLoading || to == kFailed || to == kGone;
    case kCold:
      return to == kLoading || to == kDraining;
    case kLoading:
      return to == kReady || to == kFailed;
    case kReady:
      return to == kCold || to == kResident || to == kDraining;
    case kFailed:
      return to == kLoading || to == kGone;
    case kResident:
      return to == kReady || to == kDraining;
    case kDraining:
      return to == kGone;
    case kGone:
      return false;
  }
  return false;
}

}  // namespace slipway::live
