#pragma once
// SharedCache: answers that several servers share through a Redis. It is asked for what the memory of this process does
// not have, within a budget of time; one that is slow or gone costs nothing but its hits.
//
//   if (shared.Find(request, latest, answer, left)) …       // all that the answer depends on is in `request`
//   shared.Put(request, answer);                            // never waits

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "serving/cache/prediction_cache.h"
#include "serving/cache/redis/circuit.h"
#include "serving/cache/redis/redis_link.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace slipway::serving {

struct SharedCacheOptions {
  std::string redis;                                                ///< its URL; empty: there is none
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(5);  ///< for one lookup, all in all
  std::string prefix = "slipway:";                                  ///< of all keys
  std::chrono::nanoseconds lifetime = std::chrono::hours(24);       ///< of an answer there
  std::string program_version;
};

/// Invariants: a lookup ends by its budget whatever the Redis does; the background thread alone resolves names,
/// connects and writes. Memory: kWaitingBytes of answers to be written, and kLinks connections.
///
/// Thread-safety: all methods from any thread; Find() blocks, and is not for io threads. Lifecycle: works until
/// destroyed; answers not written by then are lost.
class SharedCache {
 public:
  static constexpr int kLinks = 8;                    ///< connections for lookups, at most
  static constexpr int64_t kLargest = 8 << 20;        ///< bytes of an answer with its request
  static constexpr int64_t kWaitingBytes = 32 << 20;  ///< of answers to be written; more are dropped
  /// How to connect by a deadline.
  using Connect = std::function<base::Result<std::unique_ptr<RedisLink>>(base::SteadyTime deadline)>;

  /// `metrics` and `log` outlive it. Errors: those of RedisAddress::Parse.
  static base::Result<std::unique_ptr<SharedCache>> Start(const SharedCacheOptions& options,
                                                          telemetry::MetricRegistry& metrics, telemetry::Log& log);
  /// `name` of the Redis in the log.
  SharedCache(const SharedCacheOptions& options, std::string name, Connect connect, telemetry::MetricRegistry& metrics,
              telemetry::Log& log);
  ~SharedCache();

  /// By `latest` at the latest. On a hit, `left` is what the answer has to live.
  bool Find(std::string_view request, base::SteadyTime latest, CachedAnswer& answer, std::chrono::nanoseconds& left);
  void Put(std::string_view request, const CachedAnswer& answer);

  const SharedCacheOptions& options() const { return options_; }

 private:
  struct Metrics {
    explicit Metrics(telemetry::MetricRegistry& registry);
    telemetry::Counter hits, misses, wrong, late, failed, skipped;
    telemetry::Counter written, refused, dropped, lost;
    telemetry::Counter errors;
    telemetry::Gauge up;
    telemetry::Histogram lookups;
  };
  struct Write {
    std::string key, value;
  };
  enum class Loan : uint8_t { kGiven, kLate, kDown };

  std::string KeyOf(std::string_view request) const;
  // Of lookups.
  Loan Borrow(base::SteadyTime deadline, std::unique_ptr<RedisLink>& link);
  void GiveBack(std::unique_ptr<RedisLink> link);
  void NoteFailure(const base::Error& error, int closed = 0);
  bool Judge(const RedisReply& value, const RedisReply& milliseconds, std::string_view request, CachedAnswer& answer,
             std::chrono::nanoseconds& left) const;
  // Of the background thread; they are called under the lock, and let it go while they wait.
  void Run();
  void Attempt(std::unique_lock<std::mutex>& lock);
  void AddLink(std::unique_lock<std::mutex>& lock);
  void WriteSome(std::unique_lock<std::mutex>& lock);
  base::Result<std::vector<RedisReply>> Send(const std::vector<Write>& writes);
  void CountWritten(const std::vector<RedisReply>& replies);
  /// Under the lock: it is not asked from now on.
  void Open(const base::Error& error);

  const SharedCacheOptions options_;
  const std::string name_;
  const Connect connect_;
  telemetry::Log& log_;
  const Metrics metrics_;
  std::unique_ptr<RedisLink> write_link_;  ///< of the background thread
  bool refusing_ = false;                  ///< of the background thread: the last writes were refused
  std::atomic<bool> up_{false};            ///< circuit_ is closed, to look at without the lock

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable work_, ready_;
  Circuit circuit_;
  bool told_ = false;  ///< that it is down
  bool stopping_ = false;
  int links_ = 0;    ///< connections for lookups, lent ones among them
  int wanting_ = 0;  ///< lookups that wait for one
  std::vector<std::unique_ptr<RedisLink>> idle_;
  std::deque<Write> writes_;
  int64_t write_bytes_ = 0;
  std::jthread thread_;
};

}  // namespace slipway::serving
