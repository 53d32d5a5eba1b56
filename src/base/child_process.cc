#include "base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace slipway::base {
namespace {

using std::chrono::steady_clock;

constexpr size_t kMostReport = size_t{64} << 10;

std::unexpected<Error> StartFailure(int error) {
  return Fail(Code::kUnavailable, "child.start",
              "another process cannot be started: " + std::generic_category().message(error));
}

/// Copies above the numbers that the child's own descriptors get, so that placing one never closes another. Fewer when
/// the system has none left.
std::vector<FileDescriptor> OutOfTheWay(const std::vector<int>& lent) {
  std::vector<FileDescriptor> copies;
  const int first_free = kFirstLent + static_cast<int>(lent.size());
  for (const int fd : lent) {
    FileDescriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, first_free));
    if (!copy.ok()) break;
    copies.push_back(std::move(copy));
  }
  return copies;
}

/// What posix_spawn is to do between the birth of the child and the program.
class SpawnPlan {
 public:
  SpawnPlan(const std::vector<FileDescriptor>& lent, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (output >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    } else {
      posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    int next = kFirstLent;
    for (const FileDescriptor& fd : lent) posix_spawn_file_actions_adddup2(&actions_, fd.get(), next++);
    posix_spawn_file_actions_addclosefrom_np(&actions_, next);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  /// 0, or the system's error.
  int Spawn(const ChildStart& start, pid_t& child) const {
    std::vector<char*> words{const_cast<char*>(start.program.c_str())};
    for (const std::string& argument : start.arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    std::vector<char*> variables;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
      const std::string_view text = *variable;
      const auto begins = [&](const std::string& name) { return text.starts_with(name); };
      if (std::ranges::none_of(start.withheld, begins)) variables.push_back(*variable);
    }
    variables.push_back(nullptr);
    return posix_spawn(&child, start.program.c_str(), &actions_, &attributes_, words.data(), variables.data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// Takes what the pipe holds; false at its end.
bool ReadReport(int fd, std::string& report) {
  char buffer[4096];
  const ssize_t got = ::read(fd, buffer, sizeof(buffer));
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  report.append(buffer, std::min(static_cast<size_t>(got), kMostReport - report.size()));
  return got > 0;
}

/// Collects the report until the child has ended and the pipe is empty; false when the time is over before.
bool Await(const Child& child, const FileDescriptor& report, steady_clock::time_point until, std::string& text) {
  bool open = true;
  while (open || child.process() >= 0) {  // a system that does not tell takes the pipe's end for the child's
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd waits[] = {{open ? report.get() : -1, POLLIN, 0}, {child.process(), POLLIN, 0}};
    if (::poll(waits, 2, static_cast<int>(std::min<int64_t>(left, 1 << 30))) < 0 && errno != EINTR) return false;
    if (waits[0].revents != 0) {
      open = ReadReport(report.get(), text);
    } else if (waits[1].revents != 0) {
      return true;
    }
  }
  return true;
}

Result<void> Limit(int resource, int64_t soft, int64_t hard) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) limit = {RLIM_INFINITY, RLIM_INFINITY};
  limit.rlim_max = std::min(limit.rlim_max, static_cast<rlim_t>(hard));
  limit.rlim_cur = std::min({limit.rlim_cur, limit.rlim_max, static_cast<rlim_t>(soft)});
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0) return {};
  return Fail(Code::kFailedPrecondition, "child.limits",
              "a limit cannot be set: " + std::generic_category().message(errno));
}

/// No capability, and none by what it may start.
Result<void> DropRights() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_capset, &header, none.data()) == 0) return {};
  return Fail(Code::kFailedPrecondition, "child.limits",
              "privileges cannot be dropped: " + std::generic_category().message(errno));
}

}  // namespace

std::string ChildEnd::Text() const {
  if (how == How::kExited) return fmt::format("exit code {}", number);
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

Child::Child(int pid) : pid_(pid), process_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), process_(std::move(other.process_)) {}

Child::~Child() {
  if (pid_ < 0) return;
  Kill();
  Reap();
}

Result<Child> Child::Start(const ChildStart& start) {
  auto all = start.lent;
  if (start.output >= 0) all.push_back(start.output);
  auto copies = OutOfTheWay(all);
  if (copies.size() < all.size()) return StartFailure(errno);
  FileDescriptor output;
  if (start.output >= 0) {
    output = std::move(copies.back());
    copies.pop_back();
  }
  pid_t child = 0;
  if (const int error = SpawnPlan(copies, output.get()).Spawn(start, child)) return StartFailure(error);
  return Child(child);
}

void Child::Kill() const {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // should it have left its group
}

void Child::Signal(int signal) const {
  if (pid_ >= 0) ::kill(pid_, signal);
}

ChildEnd Child::Reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ChildEnd end;
  end.how = WIFSIGNALED(status) ? ChildEnd::How::kSignalled : ChildEnd::How::kExited;
  end.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return end;
}

Result<ChildEnd> RunChild(const ChildOptions& options) {
  const auto until = steady_clock::now() + options.time_limit;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return StartFailure(errno);
  const FileDescriptor report(ends[0]);
  FileDescriptor write_end(ends[1]);
  std::vector<int> lent = {write_end.get()};
  if (options.input >= 0) lent.push_back(options.input);
  SLIPWAY_ASSIGN(Child child, Child::Start({options.program, options.arguments, std::move(lent), options.withheld}));
  write_end.Close();
  std::string text;
  const bool ended = Await(child, report, until, text);
  if (!ended) child.Kill();
  ChildEnd end = child.Reap();
  if (!ended) end.how = ChildEnd::How::kTimedOut;
  end.report = std::move(text);
  return end;
}

Result<void> LimitThisProcess(const ChildLimits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != limits.parent) {  // it may have gone before the line above
    return Fail(Code::kFailedPrecondition, "child.limits", "the process that started this one is gone");
  }
  if (const FileDescriptor score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score.ok()) {
    WriteAll(score.get(), "1000");
  }
  SLIPWAY_TRY(Limit(RLIMIT_DATA, limits.memory.count, limits.memory.count));
  SLIPWAY_TRY(Limit(RLIMIT_CPU, limits.processor.count(), limits.processor.count() + 1));
  SLIPWAY_TRY(Limit(RLIMIT_CORE, 0, 0));
  SLIPWAY_TRY(Limit(RLIMIT_FSIZE, 0, 0));
  SLIPWAY_TRY(DropRights());
  ::signal(SIGXFSZ, SIG_IGN);   // writing fails instead
  ::prctl(PR_SET_DUMPABLE, 0);  // a limit of 0 does not keep a core from the programs that systems pipe them to
  return {};
}

}  // namespace slipway::base
