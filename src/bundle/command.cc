#include "bundle/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace slipway::bundle {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::vector<char*> Environment(std::string_view without) {
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (without.empty() || !std::string_view(*variable).starts_with(without)) kept.push_back(*variable);
  }
  static char locale[] = "LC_ALL=C";
  static char locks[] = "GIT_OPTIONAL_LOCKS=0";
  static char prompt[] = "GIT_TERMINAL_PROMPT=0";
  std::erase_if(kept, [](const char* v) { return std::string_view(v).starts_with("LC_ALL="); });
  kept.insert(kept.end(), {locale, locks, prompt, nullptr});
  return kept;
}

/// Starts the program with its output on `pipe_end`; the process id, or -1.
pid_t Spawn(const std::vector<std::string>& command, std::string_view without, int pipe_end) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment = Environment(without);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_end, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  if (posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environment.data()) != 0) process = -1;
  posix_spawn_file_actions_destroy(&actions);
  return process;
}

/// Reads to the end, the size limit or the deadline; false when the deadline came first.
bool ReadAll(int file, steady_clock::time_point until, size_t limit, std::string& output) {
  std::array<char, 4096> block{};
  while (output.size() < limit) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    pollfd waiting{file, POLLIN, 0};
    const int ready = left <= 0 ? 0 : poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(file, block.data(), std::min(block.size(), limit - output.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    output.append(block.data(), static_cast<size_t>(got));
  }
  return true;
}

/// Waits for the end of a process; false when the deadline came first.
bool WaitUntil(pid_t process, steady_clock::time_point until, int& status) {
  while (true) {
    const pid_t ended = waitpid(process, &status, WNOHANG);
    if (ended == process) return true;
    if (ended < 0 && errno != EINTR) return false;
    if (steady_clock::now() >= until) return false;
    poll(nullptr, 0, 1);
  }
}

}  // namespace

std::optional<std::string> RunCommand(const std::vector<std::string>& command, const CommandLimits& limits) {
  if (command.empty() || limits.patience <= milliseconds::zero()) return std::nullopt;
  const auto until = steady_clock::now() + limits.patience;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const pid_t process = Spawn(command, limits.without_environment, ends[1]);
  close(ends[1]);
  std::string output;
  const bool read_in_time = process > 0 && ReadAll(ends[0], until, limits.output_bytes, output);
  close(ends[0]);
  if (process <= 0) return std::nullopt;
  const bool cut = output.size() >= limits.output_bytes;
  int status = 0;
  if (!read_in_time || !WaitUntil(process, until, status)) {
    kill(process, SIGKILL);
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return std::nullopt;
  }
  // A program whose output nobody reads any more may end by SIGPIPE.
  const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const bool cut_short = cut && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
  if (!ended_well && !cut_short) return std::nullopt;
  return output;
}

}  // namespace slipway::bundle
