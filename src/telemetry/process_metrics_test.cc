#include "telemetry/process_metrics.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/file_descriptor.h"

namespace slipway::telemetry {
namespace {

class ProcessMetrics : public testing::Test {
 protected:
  void SetUp() override { AddProcessMetrics(registry_); }
  double Value(const std::string& name) const {
    std::string text;
    registry_.WriteText(text);
    const size_t at = text.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << text;
    return std::strtod(text.c_str() + at + name.size() + 2, nullptr);
  }
  MetricRegistry registry_;
};

TEST_F(ProcessMetrics, FilesThatAreOpenedAreCounted) {
  const double before = Value("process_open_fds");
  const base::FileDescriptor one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const base::FileDescriptor two(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Value("process_open_fds"), before + 2);
  EXPECT_GE(Value("process_max_fds"), before + 2);
}

TEST_F(ProcessMetrics, WorkCostsProcessorTime) {
  const double before = Value("process_cpu_seconds_total");
  const auto end = base::Clock::System().Now() + std::chrono::milliseconds(50);
  while (base::Clock::System().Now() < end) {
  }
  EXPECT_GT(Value("process_cpu_seconds_total"), before);
}

TEST_F(ProcessMetrics, TheProcessStartedBeforeNowAndNotLongAgo) {
  const std::chrono::duration<double> now = base::Clock::System().WallNow().time_since_epoch();
  EXPECT_LE(Value("process_start_time_seconds"), now.count() + 1);
  EXPECT_GT(Value("process_start_time_seconds"), now.count() - 3600);
}

TEST_F(ProcessMetrics, MemoryIsResidentWithinWhatIsMapped) {
  EXPECT_GT(Value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(Value("process_virtual_memory_bytes"), Value("process_resident_memory_bytes"));
}

}  // namespace
}  // namespace slipway::telemetry
