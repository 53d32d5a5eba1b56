#pragma once
// Console: what a person or a script sees. Results go to stdout, notes, progress and errors to stderr.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/value.h"
#include "cli/command_line.h"

namespace slipway::cli {

enum class Color : uint8_t { kRed, kGreen, kYellow, kCyan, kBold, kDim };

/// Colours only on a terminal, and never when NO_COLOR is set or TERM is "dumb". Thread-safety: one thread.
class Console {
 public:
  Console();

  /// --json: results and errors are one JSON document on stdout, notes are silent.
  void set_json(bool json) { json_ = json; }
  bool json() const { return json_; }
  bool stderr_is_terminal() const { return error_terminal_; }
  bool stdout_is_terminal() const { return out_terminal_; }

  void Print(std::string_view text) const;  ///< stdout, as it is
  void Note(std::string_view text) const;   ///< one line on stderr; silent with --json
  void Warn(std::string_view text) const;
  /// The JSON result of a command, when --json was given.
  void Result(const base::Value& value) const;
  /// Shows an error and returns the exit code that it means.
  ExitCode Fail(const base::Error& error) const;

  std::string Paint(std::string_view text, Color color) const;       ///< for stdout
  std::string PaintError(std::string_view text, Color color) const;  ///< for stderr

 private:
  bool json_ = false;
  bool out_terminal_;
  bool error_terminal_;
  bool colors_;
};

ExitCode ExitCodeOf(const base::Error& error);

/// A progress bar on stderr, shown when that is a terminal and the work has taken a second; gone when it ends.
class Progress {
 public:
  /// `total` in any unit; nullopt when unknown (then the detail alone is shown).
  Progress(const Console& console, std::string label, std::optional<int64_t> total);
  ~Progress();
  void Update(int64_t done, std::string_view detail = {});
  void Done();

 private:
  std::string Left(int64_t done, std::chrono::steady_clock::time_point now) const;

  bool enabled_;
  bool shown_ = false;
  std::string label_;
  std::optional<int64_t> total_;
  std::chrono::steady_clock::time_point started_, last_;
  /// The first that was heard: what was done before it may have been done by an earlier process.
  std::optional<std::pair<std::chrono::steady_clock::time_point, int64_t>> first_;
};

}  // namespace slipway::cli
