#pragma once
// Runs another program for its output, bounded in time and size.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::bundle {

struct CommandLimits {
  std::chrono::milliseconds patience{5000};
  size_t output_bytes = 65536;
  std::string_view without_environment;  ///< variables that start so are not handed on; empty: all are
};

/// The standard output of a program found on the PATH, cut at the limit; no shell, no input, errors discarded.
/// nullopt: it is missing, ended with another code than 0, or ran past its time (then it was killed).
std::optional<std::string> RunCommand(const std::vector<std::string>& command, const CommandLimits& limits);

}  // namespace slipway::bundle
