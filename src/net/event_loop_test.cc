#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <memory>
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
    const auto until = base::Clock::System().Now() + microseconds(20);
    while (base::Clock::System().Now() < until) {
    }
  }
  std::chrono::nanoseconds waited{-1};

 private:
  EventLoop& loop_;
  Descriptor wake_;
};

class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = EventLoop::Create();
    ASSERT_TRUE(loop) << loop.error().message;
    loop_ = std::move(*loop);
  }
  void Watch(int count) {
    for (int i = 0; i < count; ++i) watched_.push_back(std::make_unique<Slow>(*loop_));
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

}  // namespace
}  // namespace slipway::net
