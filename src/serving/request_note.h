#pragma once
// RequestNote: what is known of the request at hand beyond what HTTP knows, for its log line and its span.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace slipway::serving {

/// The protocols that predictions are asked through, as metrics and logs name them.
enum class Door : uint8_t { kNative, kOip, kTfServing, kMlflow, kGrpc, kTfServingGrpc };
inline constexpr size_t kDoors = 6;
std::string_view DoorName(Door door);

/// How a call ended.
enum class Outcome : uint8_t { kOk, kPartial, kRejected, kError };
inline constexpr size_t kOutcomes = 4;
std::string_view OutcomeName(Outcome outcome);

/// What a call spends its time on, in this order; a call that is answered in blocks of rows goes round several times.
enum class Phase : uint8_t { kDecode, kValidate, kFeatures, kInfer, kOutputs, kEncode };
inline constexpr size_t kPhases = 6;
std::string_view PhaseName(Phase phase);

/// Nanoseconds by phase.
class PhaseTimes {
 public:
  int64_t& operator[](Phase phase) { return times_[static_cast<size_t>(phase)]; }
  int64_t operator[](Phase phase) const { return times_[static_cast<size_t>(phase)]; }
  /// The phases before the model, and those behind it.
  int64_t input() const { return times_[0] + times_[1] + times_[2]; }
  int64_t output() const { return times_[4] + times_[5]; }
  int64_t total() const { return input() + times_[3] + output(); }

 private:
  std::array<int64_t, kPhases> times_{};
};

/// Views live as long as the request; never a value that a caller sent in a body.
struct RequestNote {
  std::string_view model, version;
  std::string code;           ///< why it was refused, as the answer says it; a word of ours
  std::string_view fallback;  ///< why another answered than was asked for; a literal, empty: none did
  int64_t rows = -1, rejected = 0;
  std::optional<int> grpc_status;  ///< of a gRPC call
  // Of a call that a model was asked for.
  std::optional<Outcome> outcome;
  base::SteadyTime begun;
  PhaseTimes spent;
  int64_t queued = 0;                ///< nanoseconds that the call waited for a thread and for the model
  std::shared_ptr<const void> keep;  ///< what the views look at, when nothing else keeps it

  /// As new, but for the memory and for what is of no meaning without an outcome.
  void Clear() {
    model = version = fallback = {};
    code.clear();
    rows = -1;
    rejected = 0;
    grpc_status.reset();
    outcome.reset();
    keep.reset();
  }
};

}  // namespace slipway::serving
