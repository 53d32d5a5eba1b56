#pragma once
// RunChild runs a program under limits and tells how it ended: for work that may crash, hang or take all memory, which
// no thread of this process would survive.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/quantities.h"

namespace slipway::base {

/// The two descriptors that a child has beside its standard ones, which lead nowhere.
inline constexpr int kChildReport = 3;  ///< what it writes here is ChildEnd::report
inline constexpr int kChildInput = 4;   ///< ChildOptions::input

struct ChildOptions {
  std::string program = "/proc/self/exe";  ///< this program itself
  std::vector<std::string> arguments;      ///< without the program's name
  int input = -1;                          ///< lent; -1: none
  std::chrono::nanoseconds time_limit = std::chrono::minutes(1);
};

struct ChildEnd {
  enum class How : uint8_t {
    kExited,
    kSignalled,
    kTimedOut,  ///< it was killed at the time limit
  };
  How how = How::kExited;
  int number = 0;      ///< the exit code or the signal
  std::string report;  ///< at most 64 KiB
};

/// Starts the child, waits, and kills it at the time limit. It inherits the environment, but no other descriptor, no
/// blocked or ignored signal, and not the terminal's Ctrl-C. Blocks the calling thread.
/// Thread-safety: any thread; nothing of this process is copied.
/// Errors: unavailable "child.start" with the system's word.
Result<ChildEnd> RunChild(const ChildOptions& options);

struct ChildLimits {
  int64_t parent = 0;              ///< the process that started it
  Bytes memory;                    ///< of its own: heap, stacks, private mappings
  std::chrono::seconds processor;  ///< time of all threads together; past it SIGXCPU
};

/// What a child does first. From then on it dies with the thread that started it, is the first to go when the machine
/// runs short, and can neither leave a core dump nor write to a file. Limits never rise above those it came with.
/// Errors: failed_precondition "child.limits": the parent is gone, or a limit could not be set.
Result<void> LimitThisProcess(const ChildLimits& limits);

}  // namespace slipway::base
