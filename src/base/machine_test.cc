#include "base/machine.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/files.h"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

/// A made-up root of the file system.
class MachineTest : public testing::Test {
 protected:
  void Given(const fs::path& file, std::string_view text) {
    fs::create_directories((root_.path() / file).parent_path());
    ASSERT_TRUE(WriteFileAtomically(root_.path() / file, text));
  }
  int Cpus() const { return CpuBudget(root_.path()); }
  std::optional<Bytes> Memory() const { return MemoryLimit(root_.path()); }

  TemporaryFolder root_ = TemporaryFolder::Create().value();
};

TEST_F(MachineTest, WithoutGroupsTakesTheAffinityMask) {
  EXPECT_GE(Cpus(), 1);
  EXPECT_EQ(Memory(), std::nullopt);
}

TEST_F(MachineTest, TakesTheUnifiedQuotaRoundedUp) {
  Given("proc/self/cgroup", "0::/\n");
  Given("sys/fs/cgroup/cpu.max", "50000 100000\n");
  Given("sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(Cpus(), 1);
  EXPECT_EQ(Memory(), Bytes{1 << 30});
}

TEST_F(MachineTest, ALimitOfAnyGroupAboveHolds) {
  Given("proc/self/cgroup", "0::/a/b\n");
  Given("sys/fs/cgroup/a/memory.max", "4096\n");
  Given("sys/fs/cgroup/a/cpu.max", "100000 100000\n");
  Given("sys/fs/cgroup/a/b/memory.max", "max\n");
  Given("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(Cpus(), 1);
  EXPECT_EQ(Memory(), Bytes{4096});
}

TEST_F(MachineTest, TakesTheLegacyQuota) {
  Given("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/x\n1:name=systemd:/x\n");
  Given("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "20000\n");
  Given("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  Given("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Cpus(), 1);
  EXPECT_EQ(Memory(), std::nullopt) << "the legacy way to say no limit";
}

TEST_F(MachineTest, CountsFilePagesAsAvailable) {
  Given("proc/meminfo", "MemTotal:       8192 kB\nMemAvailable:   4096 kB\n");
  EXPECT_EQ(AvailableMemory(root_.path()), Bytes{4096 * 1024});

  Given("proc/self/cgroup", "0::/a\n");
  Given("sys/fs/cgroup/a/memory.max", "1000000\n");
  Given("sys/fs/cgroup/a/memory.current", "900000\n");
  Given("sys/fs/cgroup/a/memory.stat", "anon 1\nfile 700000\ninactive_file 400000\nactive_file 100000\n");
  EXPECT_EQ(AvailableMemory(root_.path()), Bytes{600000});
}

TEST_F(MachineTest, AvailableIsWhatTheLegacyGroupHasLeft) {
  Given("proc/self/cgroup", "5:memory:/x\n");
  Given("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1000\n");
  Given("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "800\n");
  Given("sys/fs/cgroup/memory/x/memory.stat", "inactive_file 5\ntotal_inactive_file 100\n");
  EXPECT_EQ(AvailableMemory(root_.path()), Bytes{300});
}

TEST_F(MachineTest, AvailableIsZeroWhereNothingTells) {
  Given("proc/self/cgroup", "0::/\n");
  Given("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(AvailableMemory(root_.path()), Bytes{0});
}

TEST_F(MachineTest, IgnoresNonsense) {
  Given("proc/self/cgroup", "0\n:\n0::/../../etc\n");
  Given("sys/fs/cgroup/cpu.max", "soon\n");
  EXPECT_EQ(Cpus(), CpuBudget(root_.path() / "none"));
}

TEST(CpuKindTest, IsTheBestInstructionSetThatIsComplete) {
  using Features = std::vector<std::string_view>;
  EXPECT_EQ(CpuKindOf("x86-64", Features{}), "x86-64 sse2");
  EXPECT_EQ(CpuKindOf("x86-64", Features{"sse4.1", "avx"}), "x86-64 avx");
  EXPECT_EQ(CpuKindOf("x86-64", Features{"avx", "avx2"}), "x86-64 avx") << "without fused multiply-add";
  EXPECT_EQ(CpuKindOf("x86-64", Features{"avx2", "fma"}), "x86-64 avx2");
  EXPECT_EQ(CpuKindOf("x86-64", Features{"avx2", "fma", "avxvnni"}), "x86-64 avx2-vnni");
  EXPECT_EQ(CpuKindOf("x86-64", Features{"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}),
            "x86-64 avx512");
  EXPECT_EQ(CpuKindOf("x86-64", Features{"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vnni"}),
            "x86-64 avx512-vnni");
  EXPECT_EQ(CpuKindOf("aarch64", Features{"asimddp"}), "aarch64 dotprod");
  EXPECT_EQ(CpuKindOf("aarch64", Features{"asimddp", "i8mm", "sve"}), "aarch64 sve");
  EXPECT_EQ(CpuKindOf("riscv64", Features{}), "riscv64");
}

TEST(CpuKindTest, IsTheSameAtEveryCall) {
  EXPECT_EQ(CpuKind(), CpuKind());
  EXPECT_NE(CpuKind().find(' '), std::string::npos) << CpuKind();
}

TEST_F(MachineTest, TotalMemoryIsTheSmallerOfMachineAndGroup) {
  Given("proc/meminfo", "MemTotal:       1000 kB\nMemAvailable:   500 kB\n");
  EXPECT_EQ(TotalMemory(root_.path()), Bytes{1000 * 1024});
  Given("proc/self/cgroup", "0::/\n");
  Given("sys/fs/cgroup/memory.max", "4096\n");
  EXPECT_EQ(TotalMemory(root_.path()), Bytes{4096});
}

TEST(ResidentMemoryTest, IsWhatAProcessTakes) {
  EXPECT_GT(ResidentMemory().count, 100 << 10);
}

TEST(ProgramFolderTest, HoldsThisTest) {
  EXPECT_TRUE(fs::exists(ProgramFolder() / "base_test"));
}

TEST(Machine, OpenFilesAreRaisedToTheHardLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{.rlim_cur = std::min<rlim_t>(before.rlim_cur, 100), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_GE(RaiseOpenFiles(), static_cast<int64_t>(low.rlim_cur));
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(LibraryFolder, IsEmptyInAProgram) {
  EXPECT_TRUE(LibraryFolder().empty());
}

}  // namespace
}  // namespace slipway::base
