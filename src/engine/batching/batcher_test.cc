#include "engine/batching/batcher.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "base/gate_test.h"

namespace slipway::engine {
namespace {

using std::chrono::milliseconds;

/// Two numbers a row: doubles them. Negative ones are an error.
class DoublingSession final : public Session {
 public:
  explicit DoublingSession(base::Gate& gate) : gate_(gate) {}
  base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                         const base::Deadline&) override {
    const int64_t rows = inputs[0].shape[0];
    gate_.Pass(rows);
    const auto* from = static_cast<const float*>(inputs[0].data);
    outputs[0].shape = {rows, 2};
    outputs[0].data.resize(static_cast<size_t>(rows) * 2 * sizeof(float));
    auto* to = reinterpret_cast<float*>(outputs[0].data.data());
    for (int64_t i = 0; i < rows * 2; ++i) {
      if (from[i] < 0) return base::Fail(base::Code::kInternal, "engine.run", "negative");
      to[i] = from[i] * 2;
    }
    return {};
  }

 private:
  base::Gate& gate_;
};

class BatcherTest : public testing::Test {
 protected:
  void SetUp() override { gate_.Close(); }
  void TearDown() override { gate_.Open(); }

  void Start(int64_t most_rows, int sessions = 1) {
    std::vector<std::unique_ptr<Session>> all;
    for (int i = 0; i < sessions; ++i) all.push_back(std::make_unique<DoublingSession>(gate_));
    batcher_ = Batcher::Create({.most_rows = most_rows}, std::move(all));
  }
  /// "2 4" for one row of 1 and 2; else the error's reason.
  static std::string Ask(Batcher::Lane& lane, const std::vector<float>& values, const base::Deadline& deadline = {}) {
    const TensorView input = {.shape = {std::ssize(values) / 2, 2}, .data = values.data()};
    Tensor output;
    const auto ran = lane.Run({&input, 1}, {&output, 1}, deadline);
    if (!ran) return ran.error().reason;
    std::string text;
    for (int64_t i = 0; i < output.shape[0] * 2; ++i) {
      text += (i > 0 ? " " : "") + std::to_string(static_cast<int>(output.as<float>()[i]));
    }
    return text;
  }
  /// On a thread of its own; returns when the call waits, or runs if none does before it.
  std::future<std::string> Send(std::vector<float> values, base::Deadline deadline = {}, int priority = 0) {
    const auto seen = batcher_->Read().waiting + std::ssize(gate_.loads());
    auto answer = std::async(std::launch::async, [this, values = std::move(values), deadline, priority] {
      const auto lane = batcher_->NewSession();
      lane->SetPriority(priority);
      return Ask(*lane, values, deadline);
    });
    while (batcher_->Read().waiting + std::ssize(gate_.loads()) == seen) std::this_thread::yield();
    return answer;
  }
  static base::Deadline In(milliseconds time) { return {.at = std::chrono::steady_clock::now() + time}; }

  base::Gate gate_;
  std::shared_ptr<Batcher> batcher_;
};

TEST_F(BatcherTest, RunsAtOnceWhenASessionIsFree) {
  Start(8, 2);
  gate_.Open();
  EXPECT_EQ(Ask(*batcher_->NewSession(), {1, 2}), "2 4");
  EXPECT_EQ(batcher_->Read().together, 0);
}

TEST_F(BatcherTest, WhatComesWhileAllAreBusyRunsTogether) {
  Start(8);
  auto first = Send({1, 1});
  auto second = Send({2, 2}), third = Send({3, 3, 4, 4}), fourth = Send({5, 5});
  gate_.Open();
  EXPECT_EQ(first.get(), "2 2");
  EXPECT_EQ(second.get(), "4 4");
  EXPECT_EQ(third.get(), "6 6 8 8");
  EXPECT_EQ(fourth.get(), "10 10");
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(batcher_->Read().together, 3);
}

TEST_F(BatcherTest, ARunNeverHoldsMoreThanTheMostRows) {
  Start(3);
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(Send({1, 1, 2, 2}));
  gate_.Open();
  for (auto& answer : answers) EXPECT_EQ(answer.get(), "2 2 4 4");
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{2, 2, 2, 2, 2, 2}));
}

TEST_F(BatcherTest, ACallOfMoreRowsRunsAlone) {
  Start(2);
  auto first = Send({1, 1}), large = Send({1, 1, 2, 2, 3, 3}), last = Send({4, 4});
  gate_.Open();
  EXPECT_EQ(first.get(), "2 2");
  EXPECT_EQ(large.get(), "2 2 4 4 6 6");
  EXPECT_EQ(last.get(), "8 8");
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1, 3, 1}));
}

TEST_F(BatcherTest, OneCallsFaultIsNotTheOthers) {
  Start(8);
  auto first = Send({1, 1});
  auto good = Send({2, 2}), bad = Send({-1, 0}), better = Send({3, 3});
  gate_.Open();
  EXPECT_EQ(first.get(), "2 2");
  EXPECT_EQ(good.get(), "4 4");
  EXPECT_EQ(bad.get(), "engine.run");
  EXPECT_EQ(better.get(), "6 6");
}

TEST_F(BatcherTest, ATimeoutFiresOnTimeWhileTheCallWaits) {
  Start(8);
  auto busy = Send({1, 1});
  auto late = Send({2, 2}, In(milliseconds(20)));
  EXPECT_EQ(late.get(), "scoring.deadline");  // although nothing lets the first one go on
  gate_.Open();
  EXPECT_EQ(busy.get(), "2 2");
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1}));
}

TEST_F(BatcherTest, ATimeoutFiresOnTimeWhileOthersRunTheCall) {
  Start(8);
  auto busy = Send({1, 1});
  auto patient = Send({2, 2}), hasty = Send({3, 3}, In(milliseconds(100)));
  gate_.LetOne();
  gate_.Await(2);
  EXPECT_EQ(hasty.get(), "scoring.deadline");
  gate_.Open();
  EXPECT_EQ(patient.get(), "4 4");
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1, 2}));
}

TEST_F(BatcherTest, ACallWhoseClientHasGoneNeverRuns) {
  Start(8);
  auto busy = Send({1, 1});
  std::stop_source client;
  auto gone = Send({2, 2}, {.stop = client.get_token()});
  client.request_stop();
  EXPECT_EQ(gone.get(), "scoring.cancelled");
  gate_.Open();
  EXPECT_EQ(busy.get(), "2 2");
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1}));
}

TEST_F(BatcherTest, LowerPriorityNumbersGoFirst) {
  Start(1);
  auto busy = Send({1, 1});
  auto later = Send({2, 2, 2, 2}, {}, 3), sooner = Send({3, 3, 3, 3, 3, 3}, {}, 1);
  gate_.Open();
  EXPECT_EQ(busy.get(), "2 2");
  later.get();
  sooner.get();
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1, 3, 2}));
}

TEST_F(BatcherTest, KnowsWhatRequestsInPartsAreYetToAskFor) {
  Start(2);
  gate_.Open();
  const auto large = batcher_->NewSession(), other = batcher_->NewSession();
  EXPECT_EQ(Ask(*large, {1, 1, 2, 2}), "2 2 4 4");  // what a row takes is known now
  large->Expect(6);
  EXPECT_EQ(large->ExpectedOfOthers(), 0);
  const double whole = other->ExpectedOfOthers();
  EXPECT_EQ(whole, batcher_->CostOf(6));
  EXPECT_EQ(Ask(*large, {1, 1, 2, 2}), "2 2 4 4");
  EXPECT_EQ(other->ExpectedOfOthers(), batcher_->CostOf(4));
  large->Expect(0);
  EXPECT_EQ(other->ExpectedOfOthers(), 0);
}

TEST_F(BatcherTest, CallsOfDifferentShapesDoNotMeet) {
  Start(8);
  auto busy = Send({1, 1});
  auto two = Send({2, 2});
  auto wide = std::async(std::launch::async, [this] {
    const std::vector<float> values = {1, 2, 3, 4};
    const TensorView input = {.shape = {1, 4}, .data = values.data()};
    Tensor output;
    return batcher_->NewSession()->Run({&input, 1}, {&output, 1}, {}).has_value();
  });
  while (batcher_->Read().waiting < 2) std::this_thread::yield();
  gate_.Open();
  EXPECT_EQ(two.get(), "4 4");
  EXPECT_TRUE(wide.get());
  EXPECT_EQ(gate_.loads(), (std::vector<int64_t>{1, 1, 1}));
}

TEST(RunCostTest, TogetherPaysUntilItIsKnownNotTo) {
  RunCost cost;
  EXPECT_TRUE(cost.TogetherPays());
  cost.Add(1, 1000);
  EXPECT_TRUE(cost.TogetherPays());
  cost.Add(8, 7900);
  EXPECT_FALSE(cost.TogetherPays());
  for (int i = 0; i < 50; ++i) cost.Add(8, 3000);
  EXPECT_TRUE(cost.TogetherPays());
}

TEST(RunCostTest, EstimatesByTheNearestClass) {
  RunCost cost;
  EXPECT_EQ(cost.Of(4), 0);
  cost.Add(1, 1000);
  EXPECT_EQ(cost.Of(4), 4000);
  cost.Add(8, 4000);
  EXPECT_EQ(cost.Of(16), 8000);
}

TEST_F(BatcherTest, WhatOthersRunIsNotTakenForWaiting) {
  Start(8);
  const auto lane = batcher_->NewSession();
  auto first = Send({1, 1});
  auto second = Send({2, 2});
  auto third = std::async(std::launch::async, [&] { return Ask(*lane, {3, 3}); });
  while (batcher_->Read().waiting < 2) std::this_thread::yield();
  gate_.LetOne();  // the first ends; the second runs with the third
  gate_.Await(2);
  const auto begun = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(milliseconds(50));
  gate_.Open();
  EXPECT_EQ(third.get(), "6 6");
  const auto since = std::chrono::steady_clock::now() - begun;
  EXPECT_TRUE(lane->TakeShared());
  EXPECT_LT(lane->TakeWaited(), std::chrono::nanoseconds(since).count());
  EXPECT_EQ(Ask(*lane, {4, 4}), "8 8");
  EXPECT_FALSE(lane->TakeShared());
}

TEST_F(BatcherTest, ManyThreadsGetTheirOwnAnswers) {
  Start(16, 2);
  gate_.Open();
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      const auto lane = batcher_->NewSession();
      for (int i = 0; i < 200; ++i) {
        const auto value = static_cast<float>(t * 1000 + i);
        const std::string twice = fmt::format(" {}", 2 * (t * 1000 + i));
        if (Ask(*lane, {value, value}) != twice.substr(1) + twice) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(batcher_->Read().calls, 12 * 200);
}

}  // namespace
}  // namespace slipway::engine
