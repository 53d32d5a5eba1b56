#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace slipway::net {
namespace {

using std::chrono::microseconds;

class NoOwner final : public EventLoop::Owner {
 public:
  bool OnTurnEnd() override { return true; }
  void OnTick(base::SteadyTime, std::chrono::nanoseconds) override {}
  bool WantsTicks() const override { return false; }
  bool Busy() const override { return false; }
};

/// Is ready until it has been served once, which takes its time.
class Slow final : public Watcher {
 public:
  explicit Slow(EventLoop& loop) : loop_(loop), wake_(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {
    EXPECT_TRUE(loop_.Watch(wake_.get(), EPOLLIN, *this));
  }
  void OnReady(uint32_t) override {
    uint64_t count = 0;
    EXPECT_EQ(::read(wake_.get(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
    waited = loop_.waited();
    turn = ++turns;
    const auto until = base::Clock::System().Now() + microseconds(20);
    while (base::Clock::System().Now() < until) {
    }
  }
  std::chrono::nanoseconds waited{-1};
  int turn = 0;  ///< among all that were served; 0: not yet
  static inline int turns = 0;

 private:
  EventLoop& loop_;
  Descriptor wake_;
};

class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    Slow::turns = 0;
    auto loop = EventLoop::Create();
    ASSERT_TRUE(loop) << loop.error().message;
    loop_ = std::move(*loop);
  }
  void Watch(int count) {
    for (int i = 0; i < count; ++i) watched_.push_back(std::make_unique<Slow>(*loop_));
  }

  /// Serves until nothing is ready.
  void Exhaust() {
    for (int i = 0; i < 1000 && std::ranges::any_of(watched_, [](const auto& one) { return one->turn == 0; }); ++i) {
      loop_->Turn(owner_, 0);
    }
  }

  NoOwner owner_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<std::unique_ptr<Slow>> watched_;
};

TEST_F(EventLoopTest, TellsHowLongWhatIsReadyHasWaitedForItsTurn) {
  Watch(300);
  loop_->Turn(owner_, 0);  // the first 256 of them
  loop_->Turn(owner_, 0);
  EXPECT_EQ(watched_.front()->waited, microseconds(0));
  EXPECT_GE(watched_.back()->waited, microseconds(256 * 20));
}

TEST_F(EventLoopTest, TellsOfNoWaitOnceItIsIdleAgain) {
  Watch(300);
  loop_->Turn(owner_, 0);
  loop_->Turn(owner_, 0);
  Watch(1);
  loop_->Turn(owner_, 0);
  loop_->Turn(owner_, 0);
  EXPECT_EQ(loop_->waited(), microseconds(0));
  EXPECT_EQ(watched_.back()->waited, microseconds(0));
}

TEST_F(EventLoopTest, ServesTheNewestFirstWhenTheOthersHaveWaitedInVain) {
  Watch(3000);
  loop_->PreferNewest();
  loop_->Turn(owner_, 0);
  Watch(300);
  loop_->Turn(owner_, 0);
  EXPECT_EQ(watched_[2999]->turn, 1);
  EXPECT_EQ(watched_[1500]->turn, 0);  // a turn is not long enough for so many
  const int first_of_second = watched_.back()->turn;
  EXPECT_GT(watched_[3298]->turn, first_of_second);
  EXPECT_LT(watched_[3298]->turn, first_of_second + 2);
}

TEST_F(EventLoopTest, ServesSomeOfTheOldestWhileItPrefersTheNewest) {
  Watch(3000);
  loop_->PreferNewest();
  loop_->Turn(owner_, 0);
  EXPECT_GT(watched_[0]->turn, 1);
  Exhaust();
  EXPECT_EQ(Slow::turns, 3000);
}

TEST_F(EventLoopTest, TellsTheWaitOfEachWhileItPrefersTheNewest) {
  Watch(3000);
  loop_->PreferNewest();
  loop_->Turn(owner_, 0);
  Watch(300);
  loop_->Turn(owner_, 0);
  EXPECT_LE(watched_.back()->waited, microseconds(1));
  Exhaust();
  EXPECT_GE(watched_[1500]->waited, std::chrono::milliseconds(8));
}

TEST_F(EventLoopTest, KnowsHowLongTheLastOfALongLineHaveWaited) {
  Watch(3000);
  loop_->PreferNewest();
  int before = 0;
  for (int i = 0; i < 1000 && Slow::turns < 3000; ++i) {
    before = Slow::turns;
    loop_->Turn(owner_, 0);
  }
  EXPECT_LE(3000 - before, 512);  // few were left for the last turn, and they came first of all
  const auto last = std::ranges::max_element(watched_, {}, [](const auto& one) { return one->turn; });
  EXPECT_GE((*last)->waited, std::chrono::milliseconds(8));
}

TEST_F(EventLoopTest, ServesInOrderAgainAfterAWhile) {
  Watch(1);
  loop_->PreferNewest();
  loop_->Turn(owner_, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  loop_->Turn(owner_, 0);  // sees that the while is over
  Watch(600);
  loop_->Turn(owner_, 0);
  EXPECT_EQ(watched_[1]->turn, 2);
}

}  // namespace
}  // namespace slipway::net
