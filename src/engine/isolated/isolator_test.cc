#include "engine/isolated/isolator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <stop_token>
#include <thread>

#include "base/files.h"
#include "base/shadowed_memory_test.h"
#include "engine/isolated/misbehaving_child_test.h"

namespace slipway::engine::isolated {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;

/// Whether it comes to pass in time.
template <typename Condition>
bool Until(Condition condition) {
  const auto end = steady_clock::now() + 60s;
  while (!condition() && steady_clock::now() < end) std::this_thread::sleep_for(2ms);
  return condition();
}

class IsolatedModel : public testing::Test {
 protected:
  void SetUp() override {
    Write("slipway.yaml", "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n");
    Write("model.onnx", "model bytes");
    options_.program = (folder_.path() / "program").string();
    options_.memory = {int64_t{1} << 50};
    options_.patience = 100ms;
    options_.restarts = {.first = 20ms, .most = 40ms, .healthy = 60s};
    options_.on_end = [this](const ProcessEnd& end) {
      const std::lock_guard lock(mutex_);
      ends_.push_back(end);
    };
  }

  void Write(const std::string& name, std::string_view bytes) {
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / name, bytes));
  }
  base::Result<void> Load(const std::string& how) {
    Write("program", ChildScript(how, folder_.path().string()));
    ::chmod(options_.program.c_str(), 0755);
    SLIPWAY_ASSIGN(engine_, Isolator(options_).Start(*bundle::Bundle::Open(folder_.path()), {}, {}));
    return {};
  }
  void Start(const std::string& how) {
    const auto loaded = Load(how);
    ASSERT_TRUE(loaded) << loaded.error().Text();
    session_ = *engine_->NewSession();
  }
  base::Result<void> Run(Session& session, const std::vector<float>& x, const base::Deadline& deadline = {}) {
    const std::vector<std::string_view> texts(x.size(), "text");
    const auto rows = std::ssize(x);
    const std::vector<TensorView> inputs = {{ElementType::kFloat32, {rows}, x.data(), nullptr},
                                            {ElementType::kString, {rows}, nullptr, texts.data()}};
    return session.Run(inputs, outputs_, deadline);
  }
  base::Result<void> Run(float x) { return Run(*session_, {x}); }
  base::Result<void> Do(Deed deed) { return Run(static_cast<float>(deed)); }
  std::string ErrorOf(const base::Result<void>& ran) {
    return ran ? "none" : ran.error().reason + " " + ran.error().message;
  }
  static base::Deadline In(std::chrono::nanoseconds time) { return {.at = steady_clock::now() + time, .stop = {}}; }
  void ExpectItComesBack() {
    EXPECT_TRUE(Until([&] { return Run(21).has_value(); }));
    EXPECT_EQ(outputs_[0].as<float>()[0], 42);
  }
  std::string LastReason() { return engine_->process()->last_reason; }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  IsolationOptions options_;
  std::mutex mutex_;  ///< guards ends_
  std::vector<ProcessEnd> ends_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
  std::vector<Tensor> outputs_ = std::vector<Tensor>(2);
};

TEST_F(IsolatedModel, AnswersAsIfItWereHere) {
  Start("model");

  ASSERT_TRUE(Run(*session_, {1.5F, -0.25F, 1e30F}));

  EXPECT_THAT(outputs_[0].shape, testing::ElementsAre(3));
  EXPECT_EQ(outputs_[0].as<float>()[2], 2e30F);
  EXPECT_THAT(outputs_[1].strings, testing::ElementsAre("text", "text", "text"));
  EXPECT_EQ(engine_->info().engine, "deeds");
  EXPECT_TRUE(engine_->process()->up);
  EXPECT_NE(engine_->process()->pid, ::getpid());
  EXPECT_GT(engine_->process()->memory, base::Bytes{1 << 20});
}

TEST_F(IsolatedModel, TakesInputsAndGivesAnswersOfAnySize) {
  Start("model");

  ASSERT_TRUE(Run(*session_, std::vector<float>(1'000'000, 4)));
  EXPECT_EQ(outputs_[0].as<float>()[999'999], 8);
  ASSERT_TRUE(Run(2));
  EXPECT_EQ(outputs_[0].data.size(), sizeof(float));
  ASSERT_TRUE(Do(Deed::kLargeAnswer));
  EXPECT_EQ(outputs_[0].as<float>()[9'999'999], 0.5F);
  ASSERT_TRUE(Run(3));
}

TEST_F(IsolatedModel, RunsSeveralCallsAtATime) {
  Start("model");
  const auto hanging = *engine_->NewSession();
  std::jthread other([&] {
    std::vector<Tensor> outputs(2);
    const float x = static_cast<float>(Deed::kHang);
    const std::string_view text;
    const std::vector<TensorView> inputs = {{ElementType::kFloat32, {1}, &x, nullptr},
                                            {ElementType::kString, {1}, nullptr, &text}};
    EXPECT_FALSE(hanging->Run(inputs, outputs, In(300ms)));
  });
  EXPECT_TRUE(Run(1));
}

TEST_F(IsolatedModel, ThatCrashesIsToldAndComesBack) {
  Start("model");
  const int64_t pid = engine_->process()->pid;

  const auto ran = Do(Deed::kCrash);

  EXPECT_THAT(ErrorOf(ran), AllOf(HasSubstr("engine.crashed"), HasSubstr("crashed with SIG")));
  EXPECT_EQ(ran.error().code, base::Code::kUnavailable);
  ExpectItComesBack();
  EXPECT_EQ(engine_->process()->restarts.at("signal"), 1);
  EXPECT_NE(engine_->process()->pid, pid);
  const std::lock_guard lock(mutex_);
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_EQ(ends_[0].pid, pid);
  EXPECT_EQ(ends_[0].model, "m");
  EXPECT_EQ(ends_[0].next_start, 0ns);
}

TEST_F(IsolatedModel, ThatExitsTellsTheCode) {
  Start("model");
  EXPECT_THAT(ErrorOf(Do(Deed::kExit)), HasSubstr("exit code 3"));
  EXPECT_EQ(LastReason(), "exit");
  ExpectItComesBack();
}

TEST_F(IsolatedModel, IsRefusedAtOnceWhileItIsDown) {
  options_.restarts = {.first = 1h, .most = 1h, .healthy = 60s};
  Start("once");
  EXPECT_FALSE(Do(Deed::kCrash));
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["signal"] == 2; }));

  const auto begun = steady_clock::now();
  EXPECT_THAT(ErrorOf(Run(1)), HasSubstr("engine.crashed"));

  EXPECT_LT(steady_clock::now() - begun, 1s);
  EXPECT_FALSE(engine_->process()->up);
  EXPECT_GT(engine_->process()->next_start, 20min);
}

TEST_F(IsolatedModel, ThatHangsIsAnsweredAtTheDeadlineAndReplaced) {
  options_.run_time = 50ms;
  Start("model");
  const auto begun = steady_clock::now();

  const auto ran = Run(*session_, {static_cast<float>(Deed::kHang)}, In(50ms));

  EXPECT_EQ(ran.error().reason, "engine.deadline");
  EXPECT_LT(steady_clock::now() - begun, 5s);
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["hang"] == 1; }));
  ExpectItComesBack();
}

TEST_F(IsolatedModel, ThatIsOnlySlowIsNotEndedByACallerInAHurry) {
  Start("model");
  EXPECT_EQ(Run(*session_, {static_cast<float>(Deed::kHang)}, In(20ms)).error().reason, "engine.deadline");
  std::this_thread::sleep_for(5 * options_.patience);
  EXPECT_TRUE(engine_->process()->restarts.empty());
  EXPECT_TRUE(Run(**engine_->NewSession(), {1})) << "others are answered beside it";
}

TEST_F(IsolatedModel, ThatHangsForLongerThanItsOwnTimeoutIsReplaced) {
  Write("slipway.yaml",
        "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\nlimits: {timeout: 100ms}\n");
  Start("model");
  EXPECT_FALSE(Run(*session_, {static_cast<float>(Deed::kHang)}, In(20ms)));
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["hang"] == 1; }));
}

TEST_F(IsolatedModel, ThatHangsWithoutADeadlineIsReplacedToo) {
  options_.run_time = 50ms;
  Start("model");
  EXPECT_EQ(Do(Deed::kHang).error().reason, "engine.deadline");
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["hang"] == 1; }));
}

TEST_F(IsolatedModel, LetsGoOfACallThatIsStopped) {
  Start("model");
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(30ms);
    stop.request_stop();
  });
  const auto ran =
      Run(*session_, {static_cast<float>(Deed::kHang)}, {.at = base::SteadyTime::max(), .stop = stop.get_token()});
  EXPECT_EQ(ran.error().reason, "engine.cancelled");
  EXPECT_TRUE(Run(1)) << "on another lane";
}

TEST_F(IsolatedModel, ThatThrowsFailsAlone) {
  Start("model");
  EXPECT_THAT(ErrorOf(Do(Deed::kThrow)), AllOf(HasSubstr("engine.run"), HasSubstr("out of its depth")));
  EXPECT_THAT(ErrorOf(Do(Deed::kFail)), HasSubstr("it would not"));
  EXPECT_THAT(ErrorOf(Do(Deed::kWrongSize)), HasSubstr("another size than its shape"));
  EXPECT_TRUE(Run(1));
  EXPECT_TRUE(engine_->process()->restarts.empty());
}

#ifndef SLIPWAY_SHADOWED
TEST_F(IsolatedModel, ThatTakesMemoryWithoutEndEndsItself) {
  options_.memory = {256 << 20};
  Start("model");
  EXPECT_THAT(ErrorOf(Do(Deed::kTakeMemory)), HasSubstr("more memory than it may have (256MiB"));
  EXPECT_EQ(LastReason(), "memory");
  ExpectItComesBack();
}
#endif

TEST_F(IsolatedModel, ThatAnswersNaNIsPassedOn) {
  Start("model");
  ASSERT_TRUE(Do(Deed::kNaN));
  EXPECT_TRUE(std::isnan(outputs_[0].as<float>()[0]));
}

TEST_F(IsolatedModel, ThatAnswersAnotherShapeIsPassedOn) {
  Start("model");
  ASSERT_TRUE(Do(Deed::kWrongShape));
  EXPECT_THAT(outputs_[0].shape, testing::ElementsAre(2, 2));
}

TEST_F(IsolatedModel, ThatIsKilledFromOutsideComesBack) {
  Start("model");
  ASSERT_TRUE(Run(1));
  ::kill(static_cast<pid_t>(engine_->process()->pid), SIGKILL);
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["signal"] == 1; }));
  ExpectItComesBack();
}

TEST_F(IsolatedModel, LeavesNothingBehind) {
  Start("model");
  ASSERT_TRUE(Run(1));
  const auto pid = static_cast<pid_t>(engine_->process()->pid);
  session_.reset();
  engine_.reset();
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(IsolatedModel, TwentyOfThemLeakNoDescriptor) {
  const auto descriptors = [] {
    const auto files = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  Start("model");
  session_.reset();
  engine_.reset();
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) {
    Start("model");
    EXPECT_TRUE(Run(1));
    session_.reset();
    engine_.reset();
  }
  EXPECT_EQ(descriptors(), before);
}

TEST_F(IsolatedModel, ThatIsRefusedIsQuoted) {
  const auto loaded = Load("refuse");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().Text(), "model.onnx: unknown operator");
  EXPECT_EQ(loaded.error().reason, "engine.model");
}

TEST_F(IsolatedModel, ThatCrashesWhenItIsLoadedIsRefused) {
  const auto loaded = Load("crash-at-load");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().reason, "engine.model");
  EXPECT_THAT(loaded.error().message, HasSubstr("could not be loaded"));
}

TEST_F(IsolatedModel, ThatIsNeverLoadedIsGivenUp) {
  options_.load_time = 200ms;
  const auto loaded = Load("silence");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("did not finish in 200ms"));
}

TEST_F(IsolatedModel, WhoseProcessTalksNonsenseIsRefused) {
  const auto loaded = Load("babble");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("no known form"));
}

TEST_F(IsolatedModel, WithoutAProgramIsNoFaultOfTheModel) {
  options_.program = "/no/such/program";
  const auto loaded = Isolator(options_).Start(*bundle::Bundle::Open(folder_.path()), {}, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().reason, "engine.child");
  EXPECT_EQ(loaded.error().code, base::Code::kUnavailable);
}

TEST_F(IsolatedModel, ThatIsAnotherOneAfterwardsStaysDown) {
  Start("change");
  EXPECT_FALSE(Do(Deed::kCrash));
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["start"] > 0; }));
  EXPECT_THAT(ErrorOf(Run(1)), HasSubstr("another model than before"));
}

class ProtocolViolation : public IsolatedModel, public testing::WithParamInterface<const char*> {};

TEST_P(ProtocolViolation, EndsTheProcess) {
  Start(GetParam());
  EXPECT_THAT(ErrorOf(Run(1)), AllOf(HasSubstr("engine.crashed"), HasSubstr("its answer is no answer")));
  EXPECT_EQ(LastReason(), "protocol");
}

INSTANTIATE_TEST_SUITE_P(, ProtocolViolation,
                         testing::Values("cut", "wrong-sequence", "wrong-kind", "far-table", "huge-need"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_F(IsolatedModel, ThatSpeaksUnaskedIsEnded) {
  Start("talk");
  ASSERT_TRUE(Until([&] { return engine_->process()->restarts["protocol"] > 0; }));
}

TEST_F(IsolatedModel, ThatEndsInMidAnswerIsTold) {
  Start("end-in-answer");
  EXPECT_THAT(ErrorOf(Run(1)), HasSubstr("exit code 9"));
}

}  // namespace
}  // namespace slipway::engine::isolated
