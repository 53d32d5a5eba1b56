#pragma once
// FallbackReason: what another may answer for, by the words of manifests (`on:`), answers, logs and metrics.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace slipway::bundle {

enum class FallbackReason : uint8_t {
  kTimeout,   ///< the call did not end in its time
  kEngine,    ///< the engine failed
  kBreaker,   ///< the model failed so often that it is not asked
  kLoad,      ///< the version cannot be loaded, or was not loaded in time
  kRejected,  ///< no row keeps to the schema
};

inline constexpr std::array<std::string_view, 5> kFallbackReasonNames = {"timeout", "engine", "breaker", "load",
                                                                         "rejected"};

constexpr std::string_view FallbackReasonName(FallbackReason reason) {
  return kFallbackReasonNames[static_cast<size_t>(reason)];
}

constexpr std::optional<FallbackReason> ParseFallbackReason(std::string_view name) {
  for (size_t i = 0; i < kFallbackReasonNames.size(); ++i) {
    if (kFallbackReasonNames[i] == name) return static_cast<FallbackReason>(i);
  }
  return std::nullopt;
}

/// A set of reasons.
class FallbackReasons {
 public:
  constexpr FallbackReasons() = default;
  constexpr FallbackReasons(std::initializer_list<FallbackReason> reasons) {
    for (const FallbackReason reason : reasons) Add(reason);
  }
  constexpr void Add(FallbackReason reason) { bits_ = static_cast<uint8_t>(bits_ | Bit(reason)); }
  constexpr bool Has(FallbackReason reason) const { return (bits_ & Bit(reason)) != 0; }
  /// Whether every one of `others` is among these.
  constexpr bool Cover(FallbackReasons others) const { return (others.bits_ & ~bits_) == 0; }

 private:
  static constexpr uint8_t Bit(FallbackReason reason) {
    return static_cast<uint8_t>(1u << static_cast<uint8_t>(reason));
  }
  uint8_t bits_ = 0;
};

/// What is the model's fault, not the caller's.
inline constexpr FallbackReasons kUsualFallbackReasons = {FallbackReason::kTimeout, FallbackReason::kEngine,
                                                          FallbackReason::kBreaker, FallbackReason::kLoad};

}  // namespace slipway::bundle
