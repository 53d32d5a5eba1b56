#include "telemetry/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/machine.h"
#include "base/text.h"

namespace slipway::telemetry {
namespace {

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime);
}

double OpenFiles() {
  std::error_code failed;
  const std::filesystem::directory_iterator files("/proc/self/fd", failed);
  if (failed) return 0;
  return static_cast<double>(std::distance(begin(files), end(files))) - 1;  // without the one that reads the folder
}

double MaxFiles() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

double VirtualBytes() {
  const std::string text = base::ReadFile("/proc/self/statm", 4096).value_or("");  // pages: size resident …
  const auto pages = base::ParseInt64(std::string_view(text).substr(0, text.find(' ')));
  return static_cast<double>(pages.value_or(0)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// Since the Unix epoch; 0 when nothing tells.
double StartSeconds() {
  constexpr int kFieldsBefore = 20;  // of /proc/self/stat, behind the name: the 22nd field of all is the start
  const std::string text = base::ReadFile("/proc/self/stat", 4096).value_or("");
  std::string_view rest = text;
  rest.remove_prefix(std::min(rest.rfind(')'), rest.size()));
  for (int i = 0; i < kFieldsBefore; ++i) rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  const auto ticks = base::ParseInt64(rest.substr(0, rest.find(' ')));
  timespec boot{};
  if (!ticks || ::clock_gettime(CLOCK_BOOTTIME, &boot) != 0) return 0;
  const double since_boot = static_cast<double>(boot.tv_sec) + 1e-9 * static_cast<double>(boot.tv_nsec);
  const double started = static_cast<double>(*ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const std::chrono::duration<double> now = base::Clock::System().WallNow().time_since_epoch();
  return now.count() - (since_boot - started);
}

}  // namespace

void AddProcessMetrics(MetricRegistry& registry) {
  registry.AddCounterReader({"process_cpu_seconds_total", "Processor time spent, user and system.", {}},
                            [](MetricSamples& samples) { samples.Add({}, CpuSeconds()); });
  registry.AddGaugeReader({"process_resident_memory_bytes", "Resident memory of the process.", {}},
                          [] { return static_cast<double>(base::ResidentMemory().count); });
  registry.AddGaugeReader({"process_virtual_memory_bytes", "Virtual memory of the process.", {}}, VirtualBytes);
  registry.AddGaugeReader({"process_open_fds", "Open file descriptors.", {}}, OpenFiles);
  registry.AddGaugeReader({"process_max_fds", "Most file descriptors that may be open.", {}}, MaxFiles);
  registry.AddGaugeReader({"process_start_time_seconds", "When the process started, since the Unix epoch.", {}},
                          [start = StartSeconds()] { return start; });
}

}  // namespace slipway::telemetry
