#include "live/next_step.h"

#include <algorithm>
#include <utility>

namespace slipway::live {

namespace {

using enum ModelState;
using Kind = Step::Kind;

/// Whether `other` answers, if only once it is loaded, or may still come to answer, in place of `old`.
bool Replaces(const ModelStatus& other, const ModelStatus& old, bool answers) {
  const bool other_answers = other.state == kReady || (other.state == kCold && other.shown);
  if (!other.wanted || other.id == old.id || other_answers != answers) return false;
  return other.name == old.name || (other.name.empty() && !answers);
}

bool MayGo(const ModelStatus& old, std::span<const ModelStatus> versions) {
  const auto replaced = [&](bool answers) {
    return std::ranges::any_of(versions, [&](const auto& other) { return Replaces(other, old, answers); });
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

bool MayBeEvicted(const ModelStatus& version, base::SteadyTime now) {
  if (version.state != kReady || !version.wanted || version.use.in_flight > 0) return false;
  return now - version.since >= std::max<std::chrono::nanoseconds>(kLeastStay, version.load_time);
}

/// As next_step.h says.
const ModelStatus* LeastWorthItsPlace(std::span<const ModelStatus> versions, base::SteadyTime now) {
  const ModelStatus* least = nullptr;
  double most = -1;
  for (const auto& version : versions) {
    if (!MayBeEvicted(version, now)) continue;
    const std::chrono::duration<double> idle = now - std::max(version.use.last, version.since);
    const std::chrono::duration<double> load = std::max<std::chrono::nanoseconds>(version.load_time, kLeastStay / 100);
    const double waste = idle / load * static_cast<double>(version.bytes);
    if (waste <= most) continue;
    most = waste;
    least = &version;
  }
  return least;
}

bool ShouldBeLoaded(const ModelStatus& version) {
  return version.state == kCold && version.wanted && (version.asked || !version.shown || version.use.waiting > 0);
}

/// What is to be loaded next: what somebody asked for by itself, then what most calls wait for.
const ModelStatus* MostWaitedFor(std::span<const ModelStatus> versions) {
  const ModelStatus* most = nullptr;
  const auto rank = [](const ModelStatus& version) { return std::pair(version.asked, version.use.waiting); };
  for (const auto& version : versions) {
    if (ShouldBeLoaded(version) && (most == nullptr || rank(version) > rank(*most))) most = &version;
  }
  return most;
}

Step NextLazyStep(std::span<const ModelStatus> versions, base::SteadyTime now, base::Bytes budget) {
  int64_t bytes = 0, loaded = 0;
  for (const auto& version : versions) {
    if (version.state != kReady) continue;
    bytes += version.bytes;
    ++loaded;
  }
  const ModelStatus* next = MostWaitedFor(versions);
  const Step load = next == nullptr ? Step{} : Step{Kind::kLoad, next->id};
  const int64_t more = next == nullptr ? 0 : next->bytes;
  const bool fits = bytes <= budget.count && more <= budget.count - bytes;
  if (fits || loaded + (next != nullptr) <= 1) return load;
  if (const ModelStatus* least = LeastWorthItsPlace(versions, now)) return {Kind::kEvict, least->id};
  // The one that it is to take the place of must not wait for its own end.
  return next != nullptr && !next->shown ? load : Step{};
}

}  // namespace

Step NextStep(std::span<const ModelStatus> versions, base::SteadyTime now, const Policy& policy) {
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
  if (const auto* old = first(
          [&](const auto& v) { return !v.wanted && (v.state == kReady || v.state == kCold) && MayGo(v, versions); })) {
    return {old->state == kCold ? Kind::kDrop : Kind::kWithdraw, old->id};
  }
  if (const auto* oldest = OldestPastBudget(versions, policy.resident)) return {Kind::kDrop, oldest->id};
  if (const auto* next = first([](const auto& v) { return v.state == kWanted; })) {
    return {policy.lazy ? Kind::kKnow : Kind::kLoad, next->id};
  }
  if (const auto* again = first([&](const auto& v) { return v.state == kFailed && v.next_try <= now; })) {
    return {Kind::kLoad, again->id};
  }
  return policy.lazy ? NextLazyStep(versions, now, policy.loaded) : Step();
}

}  // namespace slipway::live
