#include "live/next_step.h"

#include <algorithm>

namespace slipway::live {

namespace {

using enum ModelState;
using Kind = Step::Kind;

/// Whether `other` serves, or may still come to serve, in place of `old`.
bool Replaces(const ModelStatus& other, const ModelStatus& old, bool ready) {
  if (!other.wanted || other.id == old.id || (other.state == kReady) != ready) return false;
  return other.name == old.name || (other.name.empty() && !ready);
}

bool MayGo(const ModelStatus& old, std::span<const ModelStatus> versions) {
  const auto replaced = [&](bool ready) {
    return std::ranges::any_of(versions, [&](const auto& other) { return Replaces(other, old, ready); });
  };
  return replaced(true) || !replaced(false);
}

const ModelStatus* OldestPastBudget(std::span<const ModelStatus> versions, base::Bytes resident) {
  int64_t bytes = 0;
  const ModelStatus* oldest = nullptr;
  for (const auto& version : versions) {
    if (version.state != kResident) continue;
    bytes += version.bytes;
    if (oldest == nullptr || version.since < oldest->since) oldest = &version;
  }
  return bytes > resident.count ? oldest : nullptr;
}

}  // namespace

Step NextStep(std::span<const ModelStatus> versions, base::SteadyTime now, base::Bytes resident) {
  const auto first = [&](auto&& wanted) -> const ModelStatus* {
    const auto found = std::ranges::find_if(versions, wanted);
    return found == versions.end() ? nullptr : &*found;
  };
  if (const auto* back = first([](const auto& v) { return v.state == kResident && v.wanted; })) {
    return {Kind::kPublish, back->id};
  }
  if (const auto* useless =
          first([](const auto& v) { return !v.wanted && (v.state == kWanted || v.state == kFailed); })) {
    return {Kind::kDrop, useless->id};
  }
  if (const auto* old = first([&](const auto& v) { return !v.wanted && v.state == kReady && MayGo(v, versions); })) {
    return {Kind::kWithdraw, old->id};
  }
  if (const auto* oldest = OldestPastBudget(versions, resident)) return {Kind::kDrop, oldest->id};
  if (const auto* next = first([](const auto& v) { return v.state == kWanted; })) return {Kind::kLoad, next->id};
  if (const auto* again = first([&](const auto& v) { return v.state == kFailed && v.next_try <= now; })) {
    return {Kind::kLoad, again->id};
  }
  return {};
}

}  // namespace slipway::live
