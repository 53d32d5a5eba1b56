#pragma once
// Structured log: one JSON line an event, to stderr or a file that can be reopened after rotation.
//
//   log.Line(LogLevel::kInfo, "model.loaded").Add("model", name).Add("seconds", 0.12);
//
// Lines are put together in memory and written by a thread of the log's own, so a slow disk never delays a request.
// Never pass a caller's values of personal columns; the log cannot tell.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::telemetry {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

/// "debug", "info", "warning", "error", "off".
std::string_view LogLevelName(LogLevel level);
base::Result<LogLevel> ParseLogLevel(std::string_view name);

struct LogOptions {
  std::string path;  ///< empty: stderr
  LogLevel level = LogLevel::kInfo;
  size_t field_bytes = 512;        ///< longer texts are cut
  size_t buffer_bytes = 4u << 20;  ///< lines waiting to be written; past it lines are dropped and counted
  const base::Clock* clock = &base::Clock::System();
};

class Log;

/// One line in the making; goes to the log when destroyed. Keys are the caller's constants, values are escaped and cut.
class LogLine {
 public:
  LogLine(LogLine&& other) noexcept;
  LogLine& operator=(LogLine&&) = delete;
  ~LogLine();

  LogLine& Add(std::string_view key, std::string_view value);
  LogLine& Add(std::string_view key, const char* value) { return Add(key, std::string_view(value)); }
  LogLine& Add(std::string_view key, int64_t value);
  LogLine& Add(std::string_view key, int value) { return Add(key, static_cast<int64_t>(value)); }
  LogLine& Add(std::string_view key, double value);
  LogLine& Add(std::string_view key, bool value);
  /// code, reason, message and where of an error.
  LogLine& Add(const base::Error& error);

 private:
  friend class Log;
  LogLine(Log* log, std::string* text) : log_(log), text_(text) {}
  void Key(std::string_view key);
  Log* log_;
  std::string* text_;  ///< nullptr when the level is not logged: every call is then a no-op
};

/// Thread-safety: all methods from any thread. The destructor writes what is waiting.
class Log {
 public:
  /// Errors: unavailable "log.open" with the path and the system's word.
  static base::Result<std::unique_ptr<Log>> Open(LogOptions options = {});
  /// A log that takes everything and keeps nothing.
  static Log& Discard();
  ~Log();

  bool Enabled(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void SetLevel(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  void SetFieldBytes(size_t bytes) { field_bytes_.store(bytes, std::memory_order_relaxed); }

  /// Starts a line with "time", "level" and "event".
  LogLine Line(LogLevel level, std::string_view event);

  /// Waits until everything logged before is written.
  void Flush();
  /// Closes the file and opens its path again (after rotation); keeps the old one when that fails.
  base::Result<void> Reopen();
  /// Lines lost to a full buffer or a failing write.
  int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  friend class LogLine;
  struct State;
  Log(LogOptions options, int descriptor);
  void Take(std::string_view line);
  void WriteWaiting();

  LogOptions options_;
  std::atomic<LogLevel> level_;
  std::atomic<size_t> field_bytes_;
  std::atomic<int64_t> dropped_{0};
  std::unique_ptr<State> state_;
};

}  // namespace slipway::telemetry
