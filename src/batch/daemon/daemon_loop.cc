#include "batch/daemon/daemon_loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace slipway::batch {
namespace {

using std::chrono::milliseconds;
using telemetry::LogLevel;

/// The clock may be set, and late jobs are to be noticed.
constexpr milliseconds kLongestWait{5000};
/// After the history could not be written.
constexpr milliseconds kFaultWait{2000};

/// 0: none.
int SignalOf(const base::FileDescriptor& signals) {
  signalfd_siginfo info{};
  return ::read(signals.get(), &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
}

void Wait(const Daemon& daemon, const base::FileDescriptor& signals, milliseconds most) {
  std::vector<pollfd> waits = {{signals.get(), POLLIN, 0}};
  for (const int process : daemon.processes()) waits.push_back({process, POLLIN, 0});
  ::poll(waits.data(), waits.size(), static_cast<int>(most.count()));
}

/// Does what is to be done, and says how long there is nothing.
milliseconds Turn(Daemon& daemon, telemetry::Log& log) {
  const auto wake = daemon.Turn();
  if (!wake) {
    log.Line(LogLevel::kError, "history.failed").Add(wake.error());
    return kFaultWait;
  }
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  return std::clamp(wake->value_or(now + kLongestWait) - now, milliseconds(0), kLongestWait);
}

void Reload(Daemon& daemon, const base::ServiceManager& manager, telemetry::Log& log) {
  manager.Reloading();
  if (auto reopened = log.Reopen(); !reopened) log.Line(LogLevel::kError, "log.reopen").Add(reopened.error());
  log.Line(LogLevel::kInfo, "daemon.reloading");
  if (auto loaded = daemon.Reload(); !loaded) log.Line(LogLevel::kError, "history.failed").Add(loaded.error());
  manager.Ready("waiting for jobs");
}

}  // namespace

base::Result<base::FileDescriptor> TakeSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  base::FileDescriptor signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals.ok()) return signals;
  return base::Fail(base::Code::kUnavailable, "daemon.signals",
                    "signals cannot be waited for: " + std::generic_category().message(errno));
}

void RunUntilStopped(Daemon& daemon, const base::FileDescriptor& signals, const base::ServiceManager& manager,
                     telemetry::Log& log) {
  manager.Ready("waiting for jobs");
  bool stopping = false;
  while (!stopping || daemon.working()) {
    Wait(daemon, signals, Turn(daemon, log));
    for (int signal = SignalOf(signals); signal != 0; signal = SignalOf(signals)) {
      if (signal == SIGHUP) {
        if (!stopping) Reload(daemon, manager, log);
        continue;
      }
      if (stopping) {
        log.Line(LogLevel::kWarning, "daemon.killing");
        daemon.KillAll();
        continue;
      }
      stopping = true;
      manager.Stopping();
      log.Line(LogLevel::kInfo, "daemon.stopping").Add("running", static_cast<int64_t>(daemon.processes().size()));
      daemon.BeginStop();
    }
  }
  Turn(daemon, log);  // what ended last is to be in the history
  log.Line(LogLevel::kInfo, "daemon.stopped");
}

}  // namespace slipway::batch
