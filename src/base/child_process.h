#pragma once
// A child is a program under limits, of which is told how it ended: for work that may crash, hang or take all memory,
// which no thread of this process would survive. RunChild() waits for it, Child is for those who go on.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/quantities.h"

namespace slipway::base {

/// What a child has beside its standard descriptors, which lead nowhere but for an output that is asked for: those that
/// it is lent, from this number on.
inline constexpr int kFirstLent = 3;
/// The two of RunChild().
inline constexpr int kChildReport = kFirstLent;     ///< what it writes here is ChildEnd::report
inline constexpr int kChildInput = kFirstLent + 1;  ///< ChildOptions::input

struct ChildEnd {
  enum class How : uint8_t {
    kExited,
    kSignalled,
    kTimedOut,  ///< it was killed at the time limit
  };
  How how = How::kExited;
  int number = 0;      ///< the exit code or the signal
  std::string report;  ///< at most 64 KiB

  /// "SIGSEGV" or "exit code 3".
  std::string Text() const;
};

struct ChildStart {
  std::string program = "/proc/self/exe";  ///< this program itself
  std::vector<std::string> arguments;      ///< without the program's name
  std::vector<int> lent;                   ///< stay the caller's
  std::vector<std::string> withheld = {};  ///< variables whose names begin so are not in its environment
  int output = -1;                         ///< lent as its standard output and error; -1: they lead nowhere
};

/// A child that was started. It inherits the environment but for what is withheld, and no descriptor that it was not
/// lent, no blocked or ignored signal, and not the terminal's Ctrl-C. Thread-safety: one thread; any may start one,
/// since nothing of this process is copied. Ownership: killed with all that it started, and waited for, when this goes.
class Child {
 public:
  /// Errors: unavailable "child.start" with the system's word.
  static Result<Child> Start(const ChildStart& start);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  int64_t pid() const { return pid_; }
  /// Readable once it has ended; -1: this system does not tell.
  int process() const { return process_.get(); }
  void Kill() const;
  /// To it alone, not to what it started.
  void Signal(int signal) const;
  /// Waits for its end, and tells it without a report.
  ChildEnd Reap();

 private:
  explicit Child(int pid);
  int pid_ = -1;  ///< -1: reaped
  FileDescriptor process_;
};

struct ChildOptions {
  std::string program = "/proc/self/exe";
  std::vector<std::string> arguments;
  int input = -1;                          ///< lent; -1: none
  std::vector<std::string> withheld = {};  ///< as ChildStart::withheld
  std::chrono::nanoseconds time_limit = std::chrono::minutes(1);
};

/// Starts a child, waits, and kills it at the time limit. Blocks the calling thread.
/// Errors: those of Child::Start().
Result<ChildEnd> RunChild(const ChildOptions& options);

struct ChildLimits {
  int64_t parent = 0;              ///< the process that started it
  Bytes memory;                    ///< of its own: heap, stacks, private mappings
  std::chrono::seconds processor;  ///< time of all threads together; past it SIGXCPU
};

/// What a child does first. From then on it dies with the thread that started it, is the first to go when the machine
/// runs short, can neither leave a core dump nor write to a file, and has no privileges left, nor a way to others.
/// Limits never rise above those it came with. Errors: failed_precondition "child.limits": the parent is gone, or a
/// limit could not be set.
Result<void> LimitThisProcess(const ChildLimits& limits);

}  // namespace slipway::base
