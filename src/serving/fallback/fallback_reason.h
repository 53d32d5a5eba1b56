#pragma once
// Which failures another may answer for.

#include <string_view>

#include "base/error.h"
#include "bundle/manifest.h"

namespace slipway::serving {

/// "timeout", "engine" or "breaker"; empty: what failed would fail elsewhere too, or is not the model's fault.
inline std::string_view FallbackReason(const base::Error& error) {
  if (error.code == base::Code::kDeadlineExceeded) return "timeout";
  if (error.reason == "breaker.open") return "breaker";
  return error.reason.starts_with("engine.") ? "engine" : "";
}

/// `reason`: one of those, or "rejected".
inline bool IsFor(const bundle::FallbackStep& step, std::string_view reason) {
  if (reason == "timeout") return step.on_timeout;
  if (reason == "engine") return step.on_engine;
  if (reason == "breaker") return step.on_breaker;
  return reason == "rejected" && step.on_rejected;
}

}  // namespace slipway::serving
