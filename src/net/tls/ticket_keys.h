#pragma once
// The keys that session tickets are sealed with. All io threads and all certificates of a server share them, so that a
// client resumes on any thread and across a reload; they rotate, so that a key taken from memory opens little.

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "base/clock.h"

namespace slipway::net::tls {

/// Thread-safety: all methods from any thread.
class TicketKeys {
 public:
  struct Key {
    std::array<uint8_t, 16> name;
    std::array<uint8_t, 32> cipher;  ///< AES-256-CBC
    std::array<uint8_t, 32> mac;     ///< HMAC-SHA-256
  };
  struct Found {
    Key key;
    bool current;  ///< false: the ticket is to be renewed
  };

  /// A key seals for one `lifetime` and opens for two; a ticket is good for one.
  explicit TicketKeys(std::chrono::seconds lifetime = std::chrono::hours(1),
                      const base::Clock& clock = base::Clock::System())
      : lifetime_(lifetime), clock_(clock) {}
  ~TicketKeys();

  /// The key to seal with. nullopt when the system has no randomness.
  std::optional<Key> Current();
  /// The key of that name, if it still opens.
  std::optional<Found> Find(std::span<const uint8_t, 16> name);

  std::chrono::seconds lifetime() const { return lifetime_; }

 private:
  bool RotateWhenDue();

  const std::chrono::seconds lifetime_;
  const base::Clock& clock_;
  std::mutex mutex_;  ///< guards the rest
  std::optional<Key> current_, previous_;
  base::SteadyTime rotate_at_;
};

}  // namespace slipway::net::tls
