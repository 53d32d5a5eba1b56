#include "telemetry/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/value.h"

namespace slipway::telemetry {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warning", "error", "off"};
constexpr size_t kStripes = 16;
constexpr size_t kSpareLines = 4;
constexpr size_t kSpareBytes = 8192;

/// A thread's own stripe, so that threads of a thread-per-core server never meet on a lock.
size_t MyStripe() {
  static std::atomic<size_t> next{0};
  static thread_local const size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return mine;
}

/// Texts of finished lines, kept for the next ones on this thread.
std::vector<std::unique_ptr<std::string>>& SpareLines() {
  static thread_local std::vector<std::unique_ptr<std::string>> spare;
  return spare;
}

base::Result<int> OpenDescriptor(const std::string& path) {
  if (path.empty()) return ::dup(STDERR_FILENO);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return base::Fail(base::Code::kUnavailable, "log.open",
                      fmt::format("cannot open the log file {}: {}; check the folder and its permissions", path,
                                  std::strerror(errno)),
                      path);
  }
  return descriptor;
}

void AppendTime(std::string& out, base::WallTime time) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = since / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, since % 1'000'000);
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  return kLevelNames[static_cast<size_t>(level)];
}

base::Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return base::Fail(
      base::Code::kInvalidArgument, "log.level",
      fmt::format("unknown log level \"{}\": use debug, info, warning, error or off", base::Shorten(name, 32)));
}

LogLine::LogLine(LogLine&& other) noexcept : log_(other.log_), text_(std::exchange(other.text_, nullptr)) {}

LogLine::~LogLine() {
  if (text_ == nullptr) return;
  *text_ += "}\n";
  log_->Take(*text_);
  std::unique_ptr<std::string> text(text_);
  auto& spare = SpareLines();
  if (spare.size() < kSpareLines && text->capacity() <= kSpareBytes) spare.push_back(std::move(text));
}

void LogLine::Key(std::string_view key) {
  *text_ += ',';
  base::AppendJsonString(*text_, key);
  *text_ += ':';
}

LogLine& LogLine::Add(std::string_view key, std::string_view value) {
  if (text_ == nullptr) return *this;
  Key(key);
  const size_t most = log_->field_bytes_.load(std::memory_order_relaxed);
  if (value.size() <= most) {
    base::AppendJsonString(*text_, value);
  } else {
    base::AppendJsonString(*text_, base::Shorten(value, most));
  }
  return *this;
}

LogLine& LogLine::Add(std::string_view key, int64_t value) {
  if (text_ == nullptr) return *this;
  Key(key);
  fmt::format_to(std::back_inserter(*text_), "{}", value);
  return *this;
}

LogLine& LogLine::Add(std::string_view key, double value) {
  if (text_ == nullptr) return *this;
  Key(key);
  base::AppendJsonNumber(*text_, value);
  return *this;
}

LogLine& LogLine::Add(std::string_view key, bool value) {
  if (text_ == nullptr) return *this;
  Key(key);
  *text_ += value ? "true" : "false";
  return *this;
}

LogLine& LogLine::Add(const base::Error& error) {
  Add("code", base::CodeName(error.code)).Add("reason", error.reason).Add("message", error.message);
  if (!error.where.empty()) Add("where", error.where);
  return *this;
}

struct Log::State {
  struct alignas(64) Stripe {
    std::mutex mutex;  ///< guards text
    std::string text;
  };
  std::array<Stripe, kStripes> stripes;

  std::mutex mutex;  ///< guards requested, written, pending
  std::condition_variable_any wake, done;
  uint64_t requested = 0, written = 0;
  std::atomic<bool> pending{false};

  std::mutex descriptor_mutex;  ///< guards descriptor
  int descriptor = -1;
  std::string batch;  ///< the writer's own
  std::jthread writer;
};

Log::Log(LogOptions options, int descriptor)
    : options_(std::move(options)),
      level_(options_.level),
      field_bytes_(options_.field_bytes),
      state_(std::make_unique<State>()) {
  state_->descriptor = descriptor;
  if (descriptor < 0) return;
  state_->writer = std::jthread([this](const std::stop_token& stop) {
    for (bool going = true; going;) {
      uint64_t round = 0;
      {
        std::unique_lock lock(state_->mutex);
        going = state_->wake.wait(lock, stop, [&] { return state_->pending || state_->requested > state_->written; });
        state_->pending = false;
        round = state_->requested;
      }
      WriteWaiting();
      {
        const std::lock_guard lock(state_->mutex);
        state_->written = round;
      }
      state_->done.notify_all();
    }
  });
}

base::Result<std::unique_ptr<Log>> Log::Open(LogOptions options) {
  SLIPWAY_ASSIGN(const int descriptor, OpenDescriptor(options.path));
  return std::unique_ptr<Log>(new Log(std::move(options), descriptor));
}

Log& Log::Discard() {
  static Log discard(LogOptions{.level = LogLevel::kOff}, -1);
  return discard;
}

Log::~Log() {
  state_->writer.request_stop();
  if (state_->writer.joinable()) state_->writer.join();
  if (state_->descriptor >= 0) ::close(state_->descriptor);
}

LogLine Log::Line(LogLevel level, std::string_view event) {
  if (!Enabled(level) || level == LogLevel::kOff) return {this, nullptr};
  auto& spare = SpareLines();
  std::unique_ptr<std::string> text;
  if (spare.empty()) {
    text = std::make_unique<std::string>();
  } else {
    text = std::move(spare.back());
    spare.pop_back();
  }
  *text = "{\"time\":\"";
  AppendTime(*text, options_.clock->WallNow());
  *text += "\",\"level\":\"";
  *text += LogLevelName(level);
  *text += "\",\"event\":";
  base::AppendJsonString(*text, event);
  return {this, text.release()};
}

void Log::Take(std::string_view line) {
  auto& stripe = state_->stripes[MyStripe()];
  {
    const std::lock_guard lock(stripe.mutex);
    if (stripe.text.size() + line.size() > options_.buffer_bytes) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    stripe.text += line;
  }
  if (!state_->pending.exchange(true)) {
    const std::lock_guard lock(state_->mutex);  // so that the writer is either before its check or already waiting
    state_->wake.notify_one();
  }
}

void Log::WriteWaiting() {
  for (auto& stripe : state_->stripes) {
    {
      const std::lock_guard lock(stripe.mutex);
      if (stripe.text.empty()) continue;
      state_->batch.swap(stripe.text);
      stripe.text.clear();
    }
    const std::lock_guard lock(state_->descriptor_mutex);
    std::string_view rest = state_->batch;
    while (!rest.empty()) {
      const ssize_t wrote = ::write(state_->descriptor, rest.data(), rest.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        break;
      }
      rest.remove_prefix(static_cast<size_t>(wrote));
    }
    state_->batch.clear();
  }
}

void Log::Flush() {
  if (!state_->writer.joinable()) return;
  std::unique_lock lock(state_->mutex);
  const uint64_t mine = ++state_->requested;
  state_->wake.notify_one();
  state_->done.wait(lock, [&] { return state_->written >= mine; });
}

base::Result<void> Log::Reopen() {
  if (options_.path.empty() || state_->descriptor < 0) return {};
  Flush();
  SLIPWAY_ASSIGN(const int descriptor, OpenDescriptor(options_.path));
  const std::lock_guard lock(state_->descriptor_mutex);
  ::close(std::exchange(state_->descriptor, descriptor));
  return {};
}

}  // namespace slipway::telemetry
