#include "base/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "base/files.h"
#include "base/shadowed_memory_test.h"

namespace slipway::base {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::HasSubstr;

Result<ChildEnd> Shell(const std::string& script, std::chrono::nanoseconds limit = 20s, int input = -1) {
  return RunChild({.program = "/bin/sh", .arguments = {"-c", script}, .input = input, .time_limit = limit});
}

TEST(ChildProcess, TellsItsExitCodeAndWhatItReports) {
  const auto end = Shell("echo hello >&3; exit 7");

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->how, ChildEnd::How::kExited);
  EXPECT_EQ(end->number, 7);
  EXPECT_EQ(end->report, "hello\n");
}

TEST(ChildProcess, TellsTheSignalThatEndedIt) {
  const auto end = Shell("kill -FPE $$");

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->how, ChildEnd::How::kSignalled);
  EXPECT_EQ(end->number, SIGFPE);
}

TEST(ChildProcess, DoesNotSeeWhatIsWithheld) {
  ::setenv("SLIPWAY_TEST_SECRET", "hush", 1);
  ::setenv("SLIPWAY_TEST", "known", 1);
  const auto end = RunChild({.program = "/bin/sh",
                             .arguments = {"-c", "echo \"$SLIPWAY_TEST_SECRET,$SLIPWAY_TEST\" >&3"},
                             .withheld = {"SLIPWAY_TEST_"}});
  ::unsetenv("SLIPWAY_TEST_SECRET");
  ::unsetenv("SLIPWAY_TEST");
  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->report, ",known\n");
}

TEST(ChildProcess, IsKilledWhenItsTimeIsOver) {
  const auto start = steady_clock::now();

  const auto end = Shell("echo begun >&3; while :; do :; done", 200ms);

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->how, ChildEnd::How::kTimedOut);
  EXPECT_EQ(end->report, "begun\n");
  EXPECT_LT(steady_clock::now() - start, 10s);
}

TEST(ChildProcess, IsKilledWithItsOwnChildren) {
  const auto end = Shell("sleep 1000 & echo $! >&3; exec 3>&-; wait", 300ms);

  ASSERT_TRUE(end) << end.error().Text();
  ASSERT_EQ(end->how, ChildEnd::How::kTimedOut);
  const pid_t grandchild = std::atoi(end->report.c_str());
  ASSERT_GT(grandchild, 1);
  const auto until = steady_clock::now() + 10s;  // whoever adopted it has yet to reap it
  while (::kill(grandchild, 0) == 0 && steady_clock::now() < until) std::this_thread::yield();
  EXPECT_NE(::kill(grandchild, 0), 0);
}

TEST(ChildProcess, AGrandchildThatKeepsThePipeHoldsNobodyUp) {
  const auto start = steady_clock::now();

  const auto end = Shell("sleep 5 & exit 3");

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->number, 3);
  EXPECT_LT(steady_clock::now() - start, 4s);
}

TEST(ChildProcess, InheritsNoOtherDescriptor) {
  const FileDescriptor open(::open("/dev/zero", O_RDONLY));  // without O_CLOEXEC

  const auto end = Shell(
      "for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && set -- $@ $fd; done; echo $@ >&3\n"
      "for fd in 0 1 2; do [ /proc/$$/fd/$fd -ef /dev/null ] || exit 1; done");

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->report, "0 1 2 3\n");
  EXPECT_EQ(end->number, 0) << "the standard ones lead nowhere";
}

TEST(ChildProcess, ReadsTheInputItIsLent) {
  FileDescriptor memory(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(WriteAll(memory.get(), "lent"), 0);
  ASSERT_EQ(::lseek(memory.get(), 0, SEEK_SET), 0);

  const auto end = Shell("cat <&4 >&3", 20s, memory.get());

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->report, "lent");
}

TEST(ChildProcess, TakesNoBlockedSignalAlong) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);

  const auto end = Shell("kill -TERM $$; exit 1");

  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->number, SIGTERM);
}

TEST(ChildProcess, LongReportsAreCut) {
  const auto end = Shell("head -c 200000 /dev/zero >&3");

  ASSERT_TRUE(end) << end.error().Text();
  EXPECT_EQ(end->report.size(), size_t{64} << 10);
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnError) {
  const auto end = RunChild({.program = "/no/such/program", .arguments = {}});

  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().reason, "child.start");
  EXPECT_THAT(end.error().message, HasSubstr("No such file"));
}

TEST(Child, ReadsAllThatItIsLent) {
  std::vector<FileDescriptor> files;
  for (const char* text : {"one ", "two ", "three"}) {
    FileDescriptor& file = files.emplace_back(::memfd_create("test", MFD_CLOEXEC));
    ASSERT_EQ(WriteAll(file.get(), text), 0);
    ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
  }
  auto child = Child::Start({.program = "/bin/sh",
                             .arguments = {"-c", "[ \"$(cat <&3; cat <&4; cat <&5)\" = 'one two three' ] && exit 4"},
                             .lent = {files[0].get(), files[1].get(), files[2].get()}});
  ASSERT_TRUE(child) << child.error().Text();
  EXPECT_EQ(child->Reap().Text(), "exit code 4");
}

TEST(Child, WritesItsOutputAndErrorsWhereItIsTold) {
  const FileDescriptor output(::memfd_create("output", MFD_CLOEXEC));
  ChildStart start{
      .program = "/bin/sh", .arguments = {"-c", "echo out; echo err >&2; cat <&3; kill -TERM $$"}, .lent = {}};
  const FileDescriptor lent(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  start.lent = {lent.get()};
  start.output = output.get();
  auto child = Child::Start(start);
  ASSERT_TRUE(child) << child.error().Text();
  EXPECT_EQ(child->Reap().number, SIGTERM);
  char text[32] = {};
  EXPECT_EQ(::pread(output.get(), text, sizeof(text), 0), 8);
  EXPECT_STREQ(text, "out\nerr\n");
}

TEST(Child, IsTold) {
  auto child = Child::Start(
      {.program = "/bin/sh", .arguments = {"-c", "trap 'exit 9' TERM; while :; do sleep 0.01; done"}, .lent = {}});
  ASSERT_TRUE(child) << child.error().Text();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until the trap is set
  child->Signal(SIGTERM);
  EXPECT_EQ(child->Reap().number, 9);
}

TEST(Child, IsKilledWhenNobodyHoldsIt) {
  auto child = Child::Start({.program = "/bin/sh", .arguments = {"-c", "sleep 1000"}, .lent = {}});
  ASSERT_TRUE(child) << child.error().Text();
  const auto pid = static_cast<pid_t>(child->pid());
  ASSERT_EQ(::kill(pid, 0), 0);
  {
    const Child gone = *std::move(child);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Child, TellsWhenItHasEnded) {
  auto child = Child::Start({.program = "/bin/sh", .arguments = {"-c", "kill -SEGV $$"}, .lent = {}});
  ASSERT_TRUE(child) << child.error().Text();
  pollfd wait{child->process(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 20'000), 1);
  EXPECT_EQ(child->Reap().Text(), "SIGSEGV");
}

/// What the limits do to `act`, in a process of its own.
template <typename Act>
int EndUnderLimits(const ChildLimits& limits, Act act) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(LimitThisProcess(limits) ? act() : 99);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#ifndef SLIPWAY_SHADOWED
TEST(ChildLimits, MemoryPastTheLimitIsRefused) {
  const ChildLimits limits{.parent = ::getpid(), .memory = {256 << 20}, .processor = 60s};
  const auto take = [](size_t bytes) {
    return [bytes] {
      void* taken = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      return taken == MAP_FAILED ? 1 : 0;
    };
  };
  EXPECT_EQ(EndUnderLimits(limits, take(64u << 20)), 0);
  EXPECT_EQ(EndUnderLimits(limits, take(512u << 20)), 1);
}
#endif

TEST(ChildLimits, ProcessorTimePastTheLimitIsASignal) {
  const ChildLimits limits{.parent = ::getpid(), .memory = {int64_t{1} << 60}, .processor = 1s};
  EXPECT_EQ(EndUnderLimits(limits,
                           [] {
                             while (::getppid() != 0) {
                             }
                             return 0;
                           }),
            -SIGXCPU);
}

TEST(ChildLimits, AProcessWhoseParentIsGoneStopsAtOnce) {
  const ChildLimits limits{.parent = 1, .memory = {int64_t{1} << 60}, .processor = 60s};
  EXPECT_EQ(EndUnderLimits(limits, [] { return 0; }), 99);
}

TEST(ChildLimits, NoPrivilegeIsLeft) {
  const ChildLimits limits{.parent = ::getpid(), .memory = {int64_t{1} << 60}, .processor = 60s};
  EXPECT_EQ(EndUnderLimits(limits,
                           [] {
                             const std::string status = ReadFile("/proc/self/status").value_or("");
                             const bool none = status.find("CapEff:\t0000000000000000") != std::string::npos &&
                                               status.find("CapPrm:\t0000000000000000") != std::string::npos;
                             return none && status.find("NoNewPrivs:\t1") != std::string::npos ? 0 : 1;
                           }),
            0);
}

TEST(ChildLimits, NoFileCanBeWritten) {
  const ChildLimits limits{.parent = ::getpid(), .memory = {int64_t{1} << 60}, .processor = 60s};
  EXPECT_EQ(EndUnderLimits(limits,
                           [] {
                             const FileDescriptor file(::memfd_create("test", MFD_CLOEXEC));
                             return WriteAll(file.get(), "x");
                           }),
            EFBIG);
}

}  // namespace
}  // namespace slipway::base
