#include "base/ordered_work.h"

#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

namespace slipway::base {
namespace {

class OrderedWorkTest : public ::testing::Test {
 protected:
  static constexpr int kSlots = 4;

  /// Fills slots with 0, 1, 2, …, doubles them, and drains them into `drained_`.
  OrderedWork::Plan Doubling(int64_t items) {
    OrderedWork::Plan plan{.workers = 3, .slots = kSlots, .fill = {}, .work = {}, .drain = {}};
    plan.fill = [this, items](int slot) -> Result<bool> {
      if (filled_ == items) return false;
      values_[static_cast<size_t>(slot)] = filled_++;
      return true;
    };
    plan.work = [this](int slot, int) -> Result<void> {
      values_[static_cast<size_t>(slot)] *= 2;
      return {};
    };
    plan.drain = [this](int slot) -> Result<void> {
      drained_.push_back(values_[static_cast<size_t>(slot)]);
      return {};
    };
    return plan;
  }

  std::array<int64_t, kSlots> values_{};
  int64_t filled_ = 0;
  std::vector<int64_t> drained_;
};

TEST_F(OrderedWorkTest, HandsResultsBackInOrder) {
  ASSERT_TRUE(OrderedWork::Run(Doubling(9)));
  EXPECT_THAT(drained_, ::testing::ElementsAre(0, 2, 4, 6, 8, 10, 12, 14, 16));
}

TEST_F(OrderedWorkTest, DrainsWhatWasFilledBeforeFillingFailed) {
  auto plan = Doubling(100);
  plan.fill = [this](int slot) -> Result<bool> {
    if (filled_ == 3) return Fail(Code::kUnavailable, "gone", "the source is gone");
    values_[static_cast<size_t>(slot)] = filled_++;
    return true;
  };
  const auto ran = OrderedWork::Run(plan);
  EXPECT_EQ(ran.error().reason, "gone");
  EXPECT_THAT(drained_, ::testing::ElementsAre(0, 2, 4));
}

TEST_F(OrderedWorkTest, DrainsWhatIsDoneBeforeItFillsTheNext) {
  auto plan = Doubling(3);
  size_t drained_before_the_last = 0;
  plan.fill = [&, fill = plan.fill](int slot) {
    if (filled_ == 2) drained_before_the_last = drained_.size();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // as a pipe that somebody writes into
    return fill(slot);
  };
  ASSERT_TRUE(OrderedWork::Run(plan));
  EXPECT_GE(drained_before_the_last, 1u);
  EXPECT_THAT(drained_, ::testing::ElementsAre(0, 2, 4));
}

TEST_F(OrderedWorkTest, EndsAtTheFirstFailureOfWork) {
  auto plan = Doubling(100);
  plan.work = [this](int slot, int) -> Result<void> {
    if (values_[static_cast<size_t>(slot)] == 2) return Fail(Code::kInternal, "broken", "it broke");
    return {};
  };
  EXPECT_EQ(OrderedWork::Run(plan).error().reason, "broken");
  EXPECT_THAT(drained_, ::testing::ElementsAre(0, 1));
}

}  // namespace
}  // namespace slipway::base
