#include "serving/cold/cold_starts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/quantities.h"

namespace slipway::serving {
namespace {

telemetry::Histogram AddWaits(telemetry::MetricRegistry& metrics) {
  return metrics
      .AddHistogram(
          {"slipway_cold_start_wait_seconds", "Time that calls waited for their version to be loaded.", {}, 1, 1e-9})
      .With({});
}

}  // namespace

struct ColdStarts::Call {
  Call(std::shared_ptr<Place> its_place, net::LateAnswer its_answer, Resume its_resume)
      : place(std::move(its_place)), answer(std::move(its_answer)), resume(std::move(its_resume)) {}
  const std::shared_ptr<Place> place;
  const net::LateAnswer answer;
  const Resume resume;
  uint64_t serial = 0;
  base::SteadyTime since, deadline;
  std::optional<std::stop_callback<std::function<void()>>> gone;
};

/// Calls of one version, in the order in which they came, with those that are on their way here.
struct ColdStarts::Queue {
  Model model;
  Calls calls;
  int64_t places = 0, bytes = 0;
};

/// A call's share of its queue. Never destroyed with the mutex held.
struct ColdStarts::Place {
  Place(ColdStarts& all, Model version, int64_t body) : starts(all), model(std::move(version)), bytes(body) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    Queue empty;  // its model is let go outside the lock
    const std::lock_guard lock(starts.mutex_);
    const auto queue = starts.queues_.find(model->index);
    queue->second.bytes -= bytes;
    if (--queue->second.places > 0) return;
    empty = std::move(queue->second);
    starts.queues_.erase(queue);
  }
  ColdStarts& starts;
  const Model model;
  const int64_t bytes;
};

ColdStarts::ColdStarts(const live::LiveSet& live, live::LiveController& controller, telemetry::MetricRegistry& metrics,
                       const ColdStartOptions& options, const base::Clock& clock)
    : live_(live),
      controller_(controller),
      options_(options),
      clock_(clock),
      outcomes_(metrics.AddCounter(
          {"slipway_cold_starts_total", "Calls of versions that were not loaded, by what came of it.", {"outcome"}})),
      loaded_(outcomes_.With({"loaded"})),
      failed_(outcomes_.With({"failed"})),
      expired_(outcomes_.With({"expired"})),
      refused_(outcomes_.With({"refused"})),
      gone_(outcomes_.With({"gone"})),
      waits_(AddWaits(metrics)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ColdStarts::~ColdStarts() {
  thread_.request_stop();
  thread_.join();
  EndBy(base::SteadyTime::min());
  base::SteadyTime next;
  GoOn(TakeExpired(clock_.Now(), next), End::kExpired, expired_);
}

base::Error ColdStarts::NotInTime(const live::LoadedModel& model) const {
  return {base::Code::kUnavailable, "model.cold",
          fmt::format(
              "{} is not loaded, and was not within {} or the call's own time; it is being loaded: try again in {} s",
              model.reference(), base::FormatDuration(options_.wait_most), RetryAfterSeconds(model)),
          ""};
}

int64_t ColdStarts::RetryAfterSeconds(const live::LoadedModel& model) const {
  std::chrono::nanoseconds time = model.load_time;
  if (time.count() == 0) {
    int64_t loads = 0;
    for (const auto& status : live_.Statuses()) {
      time += status.load_time;
      loads += status.load_time.count() > 0;
    }
    time /= std::max<int64_t>(loads, 1);
  }
  return std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(time).count());
}

base::Result<void> ColdStarts::Await(const Model& model, const net::Request& request, net::Response& response,
                                     Resume resume) {
  const auto now = clock_.Now();
  std::shared_ptr<Place> place;
  base::SteadyTime deadline = std::min(request.deadline, request.received + options_.wait_most);
  {
    const std::lock_guard lock(mutex_);
    deadline = std::min(deadline, end_by_);
    Queue& queue = queues_[model->index];
    const auto bytes = std::ssize(request.body);
    const bool full = queue.places >= options_.waiting_most || queue.bytes + bytes > options_.waiting_bytes;
    if (deadline > now && !full) {
      ++queue.places;
      queue.bytes += bytes;
      if (queue.model == nullptr) queue.model = model;
      place = std::make_shared<Place>(*this, model, bytes);
    } else if (queue.places == 0) {
      queues_.erase(model->index);
    }
  }
  if (deadline <= now) {
    expired_.Add();
    return std::unexpected(NotInTime(*model));
  }
  if (place == nullptr) {
    refused_.Add();
    return base::Fail(base::Code::kResourceExhausted, "overload.cold",
                      fmt::format("{} is being loaded, and as many calls wait for it as may (--max-cold-queue, "
                                  "--max-cold-bytes); try again in {} s",
                                  model->reference(), RetryAfterSeconds(*model)));
  }
  response.later = [this, place = std::move(place), deadline, resume = std::move(resume)](
                       const net::LateAnswer& answer) { Enter(place, answer, deadline, resume); };
  return {};
}

void ColdStarts::Enter(const std::shared_ptr<Place>& place, const net::LateAnswer& answer, base::SteadyTime deadline,
                       Resume resume) {
  const Model model = place->model;
  const auto call = std::make_shared<Call>(place, answer, std::move(resume));
  call->since = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    call->serial = ++last_serial_;
    call->deadline = std::min(deadline, end_by_);
    queues_.find(model->index)->second.calls.push_back(call);
  }
  // Without the lock, since it may be called at once.
  call->gone.emplace(answer.abandoned(), [this, index = model->index, serial = call->serial] { Leave(index, serial); });
  woken_.notify_one();
  if (!live_.Current()->Contains(*model)) OnChange();  // while the call came here
  controller_.Wake();
}

/// Its client has gone.
void ColdStarts::Leave(int index, uint64_t serial) {
  std::shared_ptr<Call> left;
  {
    const std::lock_guard lock(mutex_);
    const auto queue = queues_.find(index);
    if (queue == queues_.end()) return;
    Calls& calls = queue->second.calls;
    const auto found = std::ranges::find(calls, serial, &Call::serial);
    if (found == calls.end()) return;
    left = std::move(*found);
    calls.erase(found);
  }
  left.reset();  // its place is free before anybody reads that it left
  gone_.Add();
}

void ColdStarts::OnChange() {
  const auto snapshot = live_.Current();
  std::vector<std::pair<Model, Calls>> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [index, queue] : queues_) {
      if (!queue.calls.empty() && !snapshot->Contains(*queue.model)) {
        ended.emplace_back(queue.model, std::exchange(queue.calls, {}));
      }
    }
  }
  for (const auto& [model, calls] : ended) {
    const auto now = snapshot->Resolve(model->reference());
    GoOn(calls, End::kChanged, now && !(*now)->cold() ? loaded_ : failed_);
  }
}

void ColdStarts::EndBy(base::SteadyTime latest) {
  {
    const std::lock_guard lock(mutex_);
    end_by_ = latest;
    for (auto& [index, queue] : queues_) {
      for (const auto& call : queue.calls) call->deadline = std::min(call->deadline, latest);
    }
  }
  woken_.notify_one();
}

int64_t ColdStarts::Waiting(int index) const {
  const std::lock_guard lock(mutex_);
  const auto queue = queues_.find(index);
  return queue == queues_.end() ? 0 : std::ssize(queue->second.calls);
}

/// `next`: when the next one expires.
ColdStarts::Calls ColdStarts::TakeExpired(base::SteadyTime now, base::SteadyTime& next) {
  Calls expired;
  next = base::SteadyTime::max();
  const std::lock_guard lock(mutex_);
  for (auto& [index, queue] : queues_) {
    const auto late = std::ranges::stable_partition(
        queue.calls, [&](const std::shared_ptr<Call>& call) { return call->deadline > now; });
    expired.insert(expired.end(), std::move_iterator(late.begin()), std::move_iterator(late.end()));
    queue.calls.erase(late.begin(), late.end());
    for (const auto& call : queue.calls) next = std::min(next, call->deadline);
  }
  return expired;
}

void ColdStarts::GoOn(const Calls& calls, End end, const telemetry::Counter& outcome) const {
  for (const auto& call : calls) {
    waits_.Observe((clock_.Now() - call->since).count());
    outcome.Add();
    call->answer.Finish([resume = call->resume, end](const net::Request& request, net::Response& response) {
      resume(end, request, response);
    });
  }
}

void ColdStarts::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    base::SteadyTime next;
    GoOn(TakeExpired(clock_.Now(), next), End::kExpired, expired_);
    const auto soonest = [this] {
      auto deadline = base::SteadyTime::max();
      for (const auto& [index, queue] : queues_) {
        for (const auto& call : queue.calls) deadline = std::min(deadline, call->deadline);
      }
      return deadline;
    };
    std::unique_lock lock(mutex_);
    if (next == base::SteadyTime::max()) {
      woken_.wait(lock, stop, [&] { return soonest() < next; });
    } else {
      woken_.wait_until(lock, stop, next, [&] { return soonest() < next; });
    }
  }
}

}  // namespace slipway::serving
