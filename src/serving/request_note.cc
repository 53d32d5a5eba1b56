#include "serving/request_note.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kDoorNames[] = {"native", "oip", "tfserving", "mlflow", "grpc", "tfserving_grpc"};
constexpr std::string_view kOutcomeNames[] = {"ok", "partial", "rejected", "error"};
constexpr std::string_view kPhaseNames[] = {"decode", "validate", "features", "infer", "outputs", "encode"};

}  // namespace

std::string_view DoorName(Door door) {
  return kDoorNames[static_cast<size_t>(door)];
}

std::string_view OutcomeName(Outcome outcome) {
  return kOutcomeNames[static_cast<size_t>(outcome)];
}

std::string_view PhaseName(Phase phase) {
  return kPhaseNames[static_cast<size_t>(phase)];
}

}  // namespace slipway::serving
