#pragma once
// Which failures another may answer for.

#include <optional>

#include "base/error.h"
#include "bundle/fallback_reason.h"

namespace slipway::serving {

/// nullopt: what failed would fail elsewhere too, or is not the model's fault. Never kLoad and kRejected, which no such
/// error tells.
inline std::optional<bundle::FallbackReason> FallbackReasonOf(const base::Error& error) {
  using enum bundle::FallbackReason;
  if (error.code == base::Code::kDeadlineExceeded) return kTimeout;
  if (error.reason == "breaker.open") return kBreaker;
  if (error.reason.starts_with("engine.")) return kEngine;
  return std::nullopt;
}

}  // namespace slipway::serving
