#include "serving/cache/redis/shared_cache.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/ids.h"
#include "serving/cache/redis/shared_answer.h"

namespace slipway::serving {
namespace {

using base::SteadyTime;
using Kind = RedisReply::Kind;

constexpr std::chrono::nanoseconds kBackground = std::chrono::seconds(1);  ///< for a connection, and for some writes
constexpr size_t kWritesTogether = 64;
constexpr int64_t kBytesTogether = 4 << 20;
constexpr std::string_view kLate = "redis.timeout";

SteadyTime Now() {
  return base::Clock::System().Now();
}

base::Error ErrorReply(const std::string& text) {
  return {base::Code::kUnavailable, "redis.refused", text, {}};
}

}  // namespace

SharedCache::Metrics::Metrics(telemetry::MetricRegistry& registry) {
  const auto lookup = registry.AddCounter(
      {"slipway_cache_redis_requests_total", "Lookups in the shared cache, by what came of them.", {"outcome"}});
  hits = lookup.With({"hit"});
  misses = lookup.With({"miss"});
  wrong = lookup.With({"wrong"});
  late = lookup.With({"timeout"});
  failed = lookup.With({"error"});
  skipped = lookup.With({"skipped"});
  const auto write = registry.AddCounter(
      {"slipway_cache_redis_writes_total", "Answers for the shared cache, by what became of them.", {"outcome"}});
  written = write.With({"written"});
  refused = write.With({"refused"});
  dropped = write.With({"dropped"});
  lost = write.With({"error"});
  errors = registry
               .AddCounter({"slipway_cache_redis_errors_total",
                            "Connections to the Redis that failed or broke, and errors that it answered.",
                            {}})
               .With({});
  up = registry.AddGauge({"slipway_cache_redis_up", "1: the Redis is asked; 0: it is left alone.", {}}).With({});
  lookups = registry
                .AddHistogram({"slipway_cache_redis_lookup_seconds",
                               "Time of lookups in the Redis, given up ones among them.",
                               {},
                               1,
                               1e-9})
                .With({});
}

base::Result<std::unique_ptr<SharedCache>> SharedCache::Start(const SharedCacheOptions& options,
                                                              telemetry::MetricRegistry& metrics, telemetry::Log& log) {
  SLIPWAY_ASSIGN(const RedisAddress address, RedisAddress::Parse(options.redis));
  return std::make_unique<SharedCache>(
      options, address.Shown(), [address](SteadyTime deadline) { return ConnectToRedis(address, deadline); }, metrics,
      log);
}

SharedCache::SharedCache(const SharedCacheOptions& options, std::string name, Connect connect,
                         telemetry::MetricRegistry& metrics, telemetry::Log& log)
    : options_(options), name_(std::move(name)), connect_(std::move(connect)), log_(log), metrics_(metrics) {
  metrics_.up.Set(0);
  thread_ = std::jthread([this] { Run(); });
}

SharedCache::~SharedCache() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  ready_.notify_all();
  thread_.join();
}

std::string SharedCache::KeyOf(std::string_view request) const {
  return options_.prefix + base::Xxh3Digits(request);
}

bool SharedCache::Find(std::string_view request, SteadyTime latest, CachedAnswer& answer,
                       std::chrono::nanoseconds& left) {
  if (!up_.load(std::memory_order_relaxed)) {
    metrics_.skipped.Add();
    return false;
  }
  const auto begun = Now();
  const auto deadline = std::min(latest, begun + options_.timeout);
  std::unique_ptr<RedisLink> link;
  const Loan loan = Borrow(deadline, link);
  if (loan == Loan::kDown) metrics_.skipped.Add();
  if (loan == Loan::kLate)
    NoteFailure({base::Code::kUnavailable, std::string(kLate), "no connection came in time", {}});
  if (loan != Loan::kGiven) return false;
  const std::string key = KeyOf(request);
  auto replies = link->Ask({{"GET", key}, {"PTTL", key}}, deadline);
  metrics_.lookups.Observe((Now() - begun).count());
  if (replies && replies->size() == 2 && (*replies)[0].kind == Kind::kError &&
      !(*replies)[0].text.starts_with("WRONGTYPE")) {
    replies = std::unexpected(ErrorReply((*replies)[0].text));
  }
  if (!replies || replies->size() != 2) {
    link = nullptr;
    NoteFailure(replies ? ErrorReply("it answered something else") : replies.error(), 1);
    return false;
  }
  GiveBack(std::move(link));
  return Judge((*replies)[0], (*replies)[1], request, answer, left);
}

/// Whether the reply holds the answer; a value of somebody else's is as good as none.
bool SharedCache::Judge(const RedisReply& value, const RedisReply& milliseconds, std::string_view request,
                        CachedAnswer& answer, std::chrono::nanoseconds& left) const {
  if (value.kind == Kind::kNothing) {
    metrics_.misses.Add();
    return false;
  }
  if (value.kind != Kind::kText || !ReadSharedAnswer(value.text, request, answer)) {
    metrics_.wrong.Add();
    return false;
  }
  const int64_t most = std::chrono::duration_cast<std::chrono::milliseconds>(options_.lifetime).count();
  const bool told = milliseconds.kind == Kind::kInteger && milliseconds.integer >= 0;
  left = std::chrono::milliseconds(told ? std::min(milliseconds.integer, most) : most);
  metrics_.hits.Add();
  return true;
}

SharedCache::Loan SharedCache::Borrow(SteadyTime deadline, std::unique_ptr<RedisLink>& link) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++wanting_;
    if (idle_.empty()) work_.notify_one();
    const bool came =
        ready_.wait_until(lock, deadline, [&] { return !idle_.empty() || !circuit_.closed() || stopping_; });
    --wanting_;
    if (!came) return Loan::kLate;
    if (!circuit_.closed() || stopping_) return Loan::kDown;
    link = std::move(idle_.back());
    idle_.pop_back();
    if (!link->Stale()) return Loan::kGiven;
    link = nullptr;
    --links_;
  }
}

void SharedCache::GiveBack(std::unique_ptr<RedisLink> link) {
  const std::lock_guard lock(mutex_);
  if (!circuit_.closed()) {
    --links_;
    return;
  }
  circuit_.Succeed();
  idle_.push_back(std::move(link));
  ready_.notify_one();
}

/// Of a lookup, which has closed so many connections.
void SharedCache::NoteFailure(const base::Error& error, int closed) {
  const bool late = error.reason == kLate;
  (late ? metrics_.late : metrics_.failed).Add();
  const std::lock_guard lock(mutex_);
  links_ -= closed;
  if (!circuit_.closed() || (late && !circuit_.BeSlow())) return;
  Open(error);
}

void SharedCache::Open(const base::Error& error) {
  metrics_.errors.Add();
  metrics_.up.Set(0);
  metrics_.dropped.Add(writes_.size());
  up_.store(false, std::memory_order_relaxed);
  circuit_.Fail(Now(), base::RandomBits());
  links_ -= static_cast<int>(idle_.size());
  idle_.clear();
  writes_.clear();
  write_bytes_ = 0;
  if (!std::exchange(told_, true)) {
    log_.Line(telemetry::LogLevel::kWarning, "cache.redis.down").Add("redis", name_).Add("message", error.message);
  }
  ready_.notify_all();
  work_.notify_one();
}

void SharedCache::Put(std::string_view request, const CachedAnswer& answer) {
  const auto bytes = static_cast<int64_t>(request.size() + answer.body.size() + answer.headers.size());
  if (!up_.load(std::memory_order_relaxed) || bytes > kLargest) {
    metrics_.dropped.Add();
    return;
  }
  Write write{KeyOf(request), WriteSharedAnswer(request, answer)};
  const std::lock_guard lock(mutex_);
  if (!circuit_.closed() || write_bytes_ + std::ssize(write.value) > kWaitingBytes) {
    metrics_.dropped.Add();
    return;
  }
  write_bytes_ += std::ssize(write.value);
  writes_.push_back(std::move(write));
  work_.notify_one();
}

void SharedCache::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!circuit_.closed()) {
      if (Now() < circuit_.attempt_at()) {
        work_.wait_until(lock, circuit_.attempt_at());
      } else {
        Attempt(lock);
      }
    } else if (wanting_ > std::ssize(idle_) && links_ < kLinks) {
      AddLink(lock);
    } else if (!writes_.empty()) {
      WriteSome(lock);
    } else {
      work_.wait(lock);
    }
  }
}

/// Finds out whether it is well again: whether it answers within the budget of a lookup.
void SharedCache::Attempt(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto link = connect_(Now() + kBackground);
  if (link) {
    if (const auto answered = (*link)->Ask({{"PING"}}, Now() + options_.timeout); !answered) {
      link = std::unexpected(answered.error());
    }
  }
  lock.lock();
  if (!link) return Open(link.error());
  circuit_.Close();
  up_.store(true, std::memory_order_relaxed);
  metrics_.up.Set(1);
  told_ = false;
  log_.Line(telemetry::LogLevel::kInfo, "cache.redis.up").Add("redis", name_);
  idle_.push_back(std::move(*link));
  ++links_;
  ready_.notify_one();
}

void SharedCache::AddLink(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto link = connect_(Now() + kBackground);
  lock.lock();
  if (!circuit_.closed()) return;
  if (!link) return Open(link.error());
  idle_.push_back(std::move(*link));
  ++links_;
  ready_.notify_one();
}

void SharedCache::WriteSome(std::unique_lock<std::mutex>& lock) {
  std::vector<Write> some;
  for (int64_t bytes = 0; !writes_.empty() && some.size() < kWritesTogether && bytes < kBytesTogether;) {
    bytes += std::ssize(writes_.front().value);
    some.push_back(std::move(writes_.front()));
    writes_.pop_front();
    write_bytes_ -= std::ssize(some.back().value);
  }
  lock.unlock();
  const auto replies = Send(some);
  if (replies) CountWritten(*replies);
  lock.lock();
  if (replies) return;
  metrics_.lost.Add(some.size());
  write_link_ = nullptr;
  if (circuit_.closed()) Open(replies.error());
}

base::Result<std::vector<RedisReply>> SharedCache::Send(const std::vector<Write>& writes) {
  if (write_link_ == nullptr || write_link_->Stale()) {
    SLIPWAY_ASSIGN(write_link_, connect_(Now() + kBackground));
  }
  const auto lifetime = std::chrono::ceil<std::chrono::milliseconds>(options_.lifetime);
  const std::string milliseconds = std::to_string(lifetime.count());
  std::vector<RedisCommand> commands;
  for (const Write& write : writes) commands.push_back({"SET", write.key, write.value, "PX", milliseconds});
  return write_link_->Ask(commands, Now() + kBackground);
}

/// A Redis that takes no writes (its memory is full, it is a replica) may still be read.
void SharedCache::CountWritten(const std::vector<RedisReply>& replies) {
  for (const RedisReply& reply : replies) {
    const bool refused = reply.kind == Kind::kError;
    (refused ? metrics_.refused : metrics_.written).Add();
    if (refused) metrics_.errors.Add();
    if (std::exchange(refusing_, refused) == refused) continue;
    if (refused) {
      log_.Line(telemetry::LogLevel::kWarning, "cache.redis.refuses").Add("redis", name_).Add("message", reply.text);
    } else {
      log_.Line(telemetry::LogLevel::kInfo, "cache.redis.takes").Add("redis", name_);
    }
  }
}

}  // namespace slipway::serving
