#pragma once
// The life of one version in this process.
//
//   wanted ──▶ loading ──▶ ready ◀────▶ resident
//     │        │   ▲         │             │
//     │        ▼   │         └──────┬──────┘
//     │       failed                ▼
//     │          │              draining
//     └──────────┴──────▶ gone ◀────┘
//
// wanted: its turn to be loaded has not come. loading: opened, compiled, warmed up, golden records checked. ready:
// answers requests. failed: never took traffic; tried again when its files change, or later when the environment was at
// fault. resident: no longer wanted, kept so that a rollback takes no loading. draining: requests that began with it
// are still held. gone: forgotten.

#include <cstdint>
#include <string_view>

namespace slipway::live {

enum class ModelState : uint8_t { kWanted, kLoading, kReady, kFailed, kResident, kDraining, kGone };

/// "wanted", "loading", …
std::string_view ModelStateName(ModelState state);

/// Whether the picture above has this arrow.
bool MayFollow(ModelState from, ModelState to);

}  // namespace slipway::live
