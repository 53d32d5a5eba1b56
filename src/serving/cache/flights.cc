#include "serving/cache/flights.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace slipway::serving {
namespace {

constexpr size_t kFirstLook = 16;

struct Waiting {
  net::LateAnswer answer;
  Flights::Resume resume;

  void GoOn(Flights::Landed landed) const {
    answer.Finish([resume = resume, landed](const net::Request& request, net::Response& response) {
      resume(landed, request, response);
    });
  }
};

}  // namespace

struct Flights::Flight {
  Flight(const CacheKey& made_for, int its_priority) : bytes(made_for.bytes), key(made_for), priority(its_priority) {
    key.bytes = bytes;
  }
  bool Takes(const CacheKey& other, int other_priority) const {
    return priority <= other_priority && key.model == other.model && key.variant == other.variant &&
           key.bytes == other.bytes;
  }

  const std::string bytes;
  CacheKey key;
  const int priority;
  std::optional<Landed> landed;
  std::vector<Waiting> waiting;
  size_t look_at = kFirstLook;  ///< with so many, those whose client has gone are dropped
};

Flights::Boarding Flights::Board(const CacheKey& key, int priority) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = flights_.equal_range(key.hash);
  for (auto at = first; at != last; ++at) {
    if (at->second->Takes(key, priority)) return {.flight = at->second, .lead = nullptr};
  }
  if (flights_.size() >= flights_most_) return {};
  auto flight = std::make_shared<Flight>(key, priority);
  flights_.emplace(key.hash, flight);
  return {.flight = flight, .lead = std::make_shared<Lead>(*this, flight)};
}

void Flights::Wait(const std::shared_ptr<Flight>& flight, const net::LateAnswer& answer, Resume resume) {
  Waiting waiting{answer, std::move(resume)};
  std::vector<Waiting> gone;  // let go outside the lock
  std::unique_lock lock(mutex_);
  if (const auto landed = flight->landed) {
    lock.unlock();
    waiting.GoOn(*landed);
    return;
  }
  if (flight->waiting.size() >= flight->look_at) {
    const auto left = std::ranges::partition(
        flight->waiting, [](const Waiting& other) { return !other.answer.abandoned().stop_requested(); });
    gone.assign(std::move_iterator(left.begin()), std::move_iterator(left.end()));
    flight->waiting.erase(left.begin(), left.end());
    flight->look_at = std::max(kFirstLook, flight->waiting.size() * 2);
  }
  flight->waiting.push_back(std::move(waiting));
}

void Flights::Land(Flight& flight, Landed landed) {
  std::vector<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (flight.landed) return;
    flight.landed = landed;
    waiting.swap(flight.waiting);
    const auto [first, last] = flights_.equal_range(flight.key.hash);
    for (auto at = first; at != last; ++at) {
      if (at->second.get() != &flight) continue;
      flights_.erase(at);
      break;
    }
  }
  for (const Waiting& call : waiting) call.GoOn(landed);
}

int64_t Flights::CountWaiting() const {
  const std::lock_guard lock(mutex_);
  int64_t count = 0;
  for (const auto& [hash, flight] : flights_) count += std::ssize(flight->waiting);
  return count;
}

}  // namespace slipway::serving
