#pragma once
// Flights: answers that are being made, for calls that would make the same one again.
//
//   const Flights::Boarding boarding = flights.Board(key, priority);
//   if (boarding.lead != nullptr) …          // make the answer, keep it, then boarding.lead->Land(Landed::kDone)
//   else if (boarding.flight != nullptr) …   // flights.Wait(boarding.flight, answer, resume)
//   else …                                   // no place: make the answer without others

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "net/late_answer.h"
#include "serving/cache/prediction_cache.h"

namespace slipway::serving {

/// Bounded in flights; those that wait are requests that the server has let in. Thread-safety: all methods from any
/// thread. Ownership: outlives what it gave out.
class Flights {
 public:
  enum class Landed : uint8_t {
    kDone,    ///< the answer is in the cache, or is none that others can be given
    kGivenUp  ///< nobody waited for it any more, so that it may not have been made
  };
  /// Goes on with a call that has waited, on its io thread. Must not block.
  using Resume = std::function<void(Landed landed, const net::Request& request, net::Response& response)>;

  struct Flight;
  /// The duty to make the answer. When it goes without having landed, the answer was given up.
  class Lead {
   public:
    Lead(Flights& flights, std::shared_ptr<Flight> flight) : flights_(flights), flight_(std::move(flight)) {}
    Lead(const Lead&) = delete;
    Lead& operator=(const Lead&) = delete;
    ~Lead() { Land(Landed::kGivenUp); }
    /// All that wait go on. The first call counts.
    void Land(Landed landed) { flights_.Land(*flight_, landed); }

   private:
    Flights& flights_;
    const std::shared_ptr<Flight> flight_;
  };
  struct Boarding {
    std::shared_ptr<Flight> flight;
    std::shared_ptr<Lead> lead;  ///< nullptr: another call makes the answer
  };

  explicit Flights(size_t flights_most = 1024) : flights_most_(flights_most) {}

  /// The flight of the same key, byte by byte, that is no less urgent (lower numbers go first); else a new one.
  Boarding Board(const CacheKey& key, int priority);
  /// Has `resume` called when the flight lands; soon, when it has landed already. A call whose client goes meanwhile is
  /// let go of.
  void Wait(const std::shared_ptr<Flight>& flight, const net::LateAnswer& answer, Resume resume);
  /// Calls that wait for another's answer.
  int64_t CountWaiting() const;

 private:
  void Land(Flight& flight, Landed landed);

  const size_t flights_most_;
  mutable std::mutex mutex_;                                            ///< guards what follows, and all flights
  std::unordered_multimap<uint64_t, std::shared_ptr<Flight>> flights_;  ///< by hash, until they land
};

}  // namespace slipway::serving
