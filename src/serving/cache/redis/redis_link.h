#pragma once
// RedisLink: one connection to a Redis, on which every wait ends by a deadline.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "serving/cache/redis/redis_address.h"

namespace slipway::serving {

struct RedisReply {
  enum class Kind : uint8_t { kNothing, kText, kInteger, kError, kOther };
  Kind kind = Kind::kNothing;
  std::string text;  ///< of kText and kError
  int64_t integer = 0;
};
using RedisCommand = std::vector<std::string_view>;

/// Thread-safety: one thread at a time. After an error it is broken, and only to be thrown away.
class RedisLink {
 public:
  virtual ~RedisLink() = default;
  /// Sends all commands at once, and takes their replies, error replies among them. Errors: unavailable "redis.timeout"
  /// when the deadline passes, "redis.broken" when the connection ends or what comes is no reply.
  virtual base::Result<std::vector<RedisReply>> Ask(const std::vector<RedisCommand>& commands,
                                                    base::SteadyTime deadline) = 0;
  /// The other side has closed it, or said something unasked, since the last Ask().
  virtual bool Stale() const = 0;
};

/// Replies of one Ask() together; what is longer is no answer of ours.
inline constexpr int64_t kRedisRepliesMost = 32 << 20;

/// Connects, says who we are, chooses the database, and sees it answer. Resolving the host's name may take longer than
/// the deadline. Errors: those of Ask; unavailable "redis.refused" with what the Redis says.
base::Result<std::unique_ptr<RedisLink>> ConnectToRedis(const RedisAddress& address, base::SteadyTime deadline);

}  // namespace slipway::serving
