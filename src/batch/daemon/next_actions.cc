#include "batch/daemon/next_actions.h"

#include <algorithm>

namespace slipway::batch {
namespace {

void WakeAt(Actions& actions, Millisecond time) {
  if (!actions.wake || time < *actions.wake) actions.wake = time;
}

/// What is due of a job that has no open run.
void Notice(size_t index, const JobView& job, Millisecond now, Actions& actions) {
  const Schedule& schedule = *job.periodic->schedule;
  const Instant second = std::chrono::floor<std::chrono::seconds>(now);
  const Instant known = std::max(job.since, job.last.value_or(job.since));
  const auto first = schedule.Next(known);
  if (!first) return;
  if (*first > second) return WakeAt(actions, *first);
  if (schedule.catch_up() == CatchUp::kAll) {
    actions.now.push_back({.kind = Action::Kind::kQueue, .job = index, .scheduled = *first});
    return;
  }
  const Instant latest = schedule.Latest(second).value_or(*first);
  const bool run = schedule.catch_up() == CatchUp::kLatest || second - latest < kOnTime;
  const Instant left_out_until = run ? latest - std::chrono::seconds(1) : latest;
  if (const int64_t count = schedule.Count(known, left_out_until, kMostCounted); count > 0) {
    const Instant last = run ? *schedule.Latest(left_out_until) : latest;
    actions.now.push_back({.kind = Action::Kind::kSkip, .job = index, .scheduled = last, .count = count});
  }
  if (run) actions.now.push_back({.kind = Action::Kind::kQueue, .job = index, .scheduled = latest});
}

/// Runs that may begin an attempt, the oldest time first.
std::vector<size_t> Startable(std::span<const JobView> jobs, Millisecond now, Actions& actions) {
  std::vector<size_t> ready;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const JobView& job = jobs[i];
    if (job.periodic == nullptr || !job.open || job.alive) continue;
    if (job.open->next_attempt && *job.open->next_attempt > now) {
      WakeAt(actions, *job.open->next_attempt);
    } else {
      ready.push_back(i);
    }
  }
  std::ranges::stable_sort(ready, {}, [&](size_t i) { return jobs[i].open->scheduled; });
  return ready;
}

}  // namespace

Actions NextActions(std::span<const JobView> jobs, Millisecond now, int64_t concurrency) {
  Actions actions;
  int64_t busy = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const JobView& job = jobs[i];
    busy += job.alive ? 1 : 0;
    if (!job.open && job.periodic != nullptr && job.periodic->schedule) Notice(i, job, now, actions);
    if (!job.alive || job.asked_to_stop || job.periodic == nullptr || !job.periodic->timeout) continue;
    const Millisecond until = *job.alive + *job.periodic->timeout;
    if (until <= now) {
      actions.now.push_back({.kind = Action::Kind::kTimeOut, .job = i, .scheduled = job.open->scheduled});
    } else {
      WakeAt(actions, until);
    }
  }
  for (const size_t i : Startable(jobs, now, actions)) {
    if (busy++ >= concurrency) break;
    actions.now.push_back({.kind = Action::Kind::kStart, .job = i, .scheduled = jobs[i].open->scheduled});
  }
  return actions;
}

}  // namespace slipway::batch
