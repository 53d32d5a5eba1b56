#include "engine/onnx/run_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "engine/onnx/loaded_model.h"
#include "engine/onnx/tiny_model.h"

namespace slipway::engine::onnx {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Runs for as many rounds as the input says.
std::string Counting() {
  const std::string body = TinyModel()
                               .Node("Identity", {"again"}, {"go_on"})
                               .Node("Add", {"sum", "one"}, {"more"})
                               .Input("round", kInt64, {})
                               .Input("again", kBool, {})
                               .Input("sum", kFloat, {})
                               .Output("go_on", kBool, {})
                               .Output("more", kFloat, {})
                               .Graph();
  return TinyModel()
      .Input("rounds", kInt64, {})
      .Initializer(FloatTensor("zero", {}, {0}))
      .Initializer(FloatTensor("one", {}, {1}))
      .Node("Loop", {"rounds", "", "zero"}, {"y"}, {GraphAttribute("body", body)})
      .Output("y", kFloat, {})
      .Bytes();
}

class RunsWithDeadlines : public testing::Test {
 protected:
  void SetUp() override {
    const std::string bytes = Counting();
    auto engine = LoadModel({"model.onnx", bytes, {}}, {});
    ASSERT_TRUE(engine) << engine.error().Text();
    engine_ = std::move(*engine);
    session_ = *engine_->NewSession();
  }

  base::Result<float> Count(int64_t rounds, const base::Deadline& deadline) {
    std::vector<Tensor> outputs(1);
    const TensorView view{ElementType::kInt64, {}, &rounds, nullptr};
    SLIPWAY_TRY(session_->Run({&view, 1}, outputs, deadline));
    return outputs[0].as<float>()[0];
  }
  static base::Deadline In(std::chrono::nanoseconds time) { return {.at = steady_clock::now() + time}; }

  static constexpr int64_t kEndless = int64_t{1} << 62;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
};

TEST_F(RunsWithDeadlines, AnEndlessLoopIsEndedAtItsDeadline) {
  const auto start = steady_clock::now();

  const auto counted = Count(kEndless, In(100ms));

  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().reason, "engine.deadline");
  EXPECT_EQ(counted.error().code, base::Code::kDeadlineExceeded);
  EXPECT_GE(steady_clock::now() - start, 100ms);
  EXPECT_LT(steady_clock::now() - start, 5s);
}

TEST_F(RunsWithDeadlines, ASessionWhoseRunWasEndedRunsAgain) {
  ASSERT_FALSE(Count(kEndless, In(50ms)));
  EXPECT_EQ(Count(3, In(60s)).value_or(-1), 3);
  ASSERT_FALSE(Count(kEndless, In(50ms)));
  EXPECT_EQ(Count(4, {}).value_or(-1), 4);
}

TEST_F(RunsWithDeadlines, AnEarlierDeadlineIsSeenWhileALaterOneIsWaitedFor) {
  auto other = *engine_->NewSession();
  std::jthread patient([&] {
    const int64_t rounds = kEndless;
    const TensorView view{ElementType::kInt64, {}, &rounds, nullptr};
    std::vector<Tensor> outputs(1);
    EXPECT_FALSE(other->Run({&view, 1}, outputs, In(1s)));
  });
  const auto start = steady_clock::now();
  EXPECT_EQ(Count(1, In(2s)).value_or(-1), 1);
  EXPECT_FALSE(Count(kEndless, In(100ms)));
  EXPECT_LT(steady_clock::now() - start, 900ms);
}

TEST_F(RunsWithDeadlines, AStopEndsARun) {
  std::stop_source stop;
  base::Deadline deadline;
  deadline.stop = stop.get_token();
  std::jthread impatient([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });

  const auto counted = Count(kEndless, deadline);

  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().reason, "engine.cancelled");
  EXPECT_EQ(Count(2, {}).value_or(-1), 2);
}

TEST_F(RunsWithDeadlines, ADeadlineByAnotherClockIsWaitedForInRealTime) {
  const base::ManualClock clock;
  base::Deadline deadline{.at = clock.Now() + 50ms};
  deadline.clock = &clock;

  const auto counted = Count(kEndless, deadline);

  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().reason, "engine.deadline");
}

TEST_F(RunsWithDeadlines, RunsOfManyThreadsEndInTime) {
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto session = *engine_->NewSession();
      std::vector<Tensor> outputs(1);
      for (int i = 0; i < 100; ++i) {
        const int64_t rounds = i % 5 == 0 ? kEndless : i;
        const TensorView view{ElementType::kInt64, {}, &rounds, nullptr};
        const auto ran = session->Run({&view, 1}, outputs, In(std::chrono::milliseconds(i % 5 == 0 ? 1 + t : 60'000)));
        wrong += ran.has_value() != (i % 5 != 0);
        if (ran) wrong += outputs[0].as<float>()[0] != static_cast<float>(i);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace slipway::engine::onnx
