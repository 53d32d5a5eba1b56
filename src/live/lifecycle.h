#pragma once
// The life of one version in this process.
//
//          ┌──────▶ cold ◀──────┐
//          │      │ │           │
//          │      │ └────────── │ ─────────────┐
//          │      ▼             │              │
//   wanted ──▶ loading ──▶ ready ◀────▶ resident
//     │  │     │   ▲         │             │   │
//     │  │     ▼   │         └──────┬──────┘   │
//     │  └──▶ failed                ▼          │
//     │          │              draining ◀─────┘
//     └──────────┴──────▶ gone ◀────┘
//
// wanted: its turn to be opened has not come. cold: its manifest is read and callers can name it; it is loaded when one
// does, and comes back here when its memory is needed for others. loading: opened, compiled, warmed up, golden records
// checked. ready: answers requests. failed: took no traffic, or takes none any more since it could not be loaded again;
// tried again when its files change, or later when the environment was at fault. resident: no longer wanted, kept so
// that a rollback takes no loading. draining: requests that began with it are still held. gone: forgotten.
//
// Only a process that loads lazily has cold versions.

#include <cstdint>
#include <string_view>

namespace slipway::live {

enum class ModelState : uint8_t { kWanted, kCold, kLoading, kReady, kFailed, kResident, kDraining, kGone };

/// "wanted", "cold", "loading", …
std::string_view ModelStateName(ModelState state);

/// Whether the picture above has this arrow.
bool MayFollow(ModelState from, ModelState to);

}  // namespace slipway::live
