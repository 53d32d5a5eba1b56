#pragma once
// SharedAnswer: how an answer stands in a store that several servers share. What comes from there is bytes from
// outside: it is taken only when every length fits, the checksum holds, and it says that it answers this very request.

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "serving/cache/prediction_cache.h"

namespace slipway::serving {

/// The texts behind one another, each with its length, so that others never make the same.
void AppendFields(std::string& out, std::span<const std::string_view> texts);

/// Content types that answers from outside name: few. Thread-safety: all methods from any thread.
class MediaTypes {
 public:
  static constexpr size_t kMost = 64, kLongest = 128;
  /// The same text, for as long as this lives; nullopt when it is no media type, or there are too many.
  std::optional<std::string_view> Kept(std::string_view text);

 private:
  std::mutex mutex_;  ///< guards kept_
  std::set<std::string, std::less<>> kept_;
};

/// `request`: all that the answer depends on.
std::string WriteSharedAnswer(std::string_view request, const CachedAnswer& answer);
/// False when `value` is no answer to `request`; `answer` is then of no meaning.
bool ReadSharedAnswer(std::string_view value, std::string_view request, CachedAnswer& answer);

}  // namespace slipway::serving
