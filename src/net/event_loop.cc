#include "net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace slipway::net {

struct EventLoop::Mailbox final : Watcher {
  Descriptor wake;
  std::mutex mutex;  ///< guards tasks
  std::vector<std::function<void()>> tasks;

  void OnReady(uint32_t) override {
    uint64_t count = 0;
    while (::read(wake.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
    std::vector<std::function<void()>> taken;
    {
      const std::lock_guard lock(mutex);
      taken.swap(tasks);
    }
    for (const auto& task : taken) task();
  }
};

/// Becomes ready when many are, and sees how long its own turn takes to come: descriptors are served in the order in
/// which they became ready, so a request that came at the same time has waited as long.
struct EventLoop::Marker final : Watcher {
  static constexpr int kMany = 64;  ///< ready at once: what the marker costs is lost among so many

  Descriptor wake;
  bool waits = false;
  base::SteadyTime since;  ///< when it became ready
  std::chrono::nanoseconds last{0};

  void OnTurn(int ready, base::SteadyTime now) {
    if (waits) return;
    if (ready < kMany) {
      last = std::chrono::nanoseconds(0);
      return;
    }
    const uint64_t one = 1;
    since = now;
    waits = ::write(wake.get(), &one, sizeof one) > 0;
  }
  void OnReady(uint32_t) override {
    uint64_t count = 0;
    while (::read(wake.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
    waits = false;
    last = base::Clock::System().Now() - since;
  }
};

EventLoop::EventLoop(Descriptor epoll, std::unique_ptr<Mailbox> mailbox, std::unique_ptr<Marker> marker)
    : epoll_(std::move(epoll)),
      mailbox_(std::move(mailbox)),
      marker_(std::move(marker)),
      now_(base::Clock::System().Now()) {}
EventLoop::~EventLoop() = default;

base::Result<std::unique_ptr<EventLoop>> EventLoop::Create() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return std::unexpected(SystemError("net.epoll", "cannot create an event queue"));
  auto mailbox = std::make_unique<Mailbox>();
  mailbox->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!mailbox->wake.valid()) return std::unexpected(SystemError("net.eventfd", "cannot create a wake-up descriptor"));
  auto marker = std::make_unique<Marker>();
  marker->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!marker->wake.valid()) return std::unexpected(SystemError("net.eventfd", "cannot create a wake-up descriptor"));
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(mailbox), std::move(marker)));
  SLIPWAY_TRY(loop->Watch(loop->mailbox_->wake.get(), EPOLLIN, *loop->mailbox_));
  SLIPWAY_TRY(loop->Watch(loop->marker_->wake.get(), EPOLLIN, *loop->marker_));
  return loop;
}

base::Result<void> EventLoop::Watch(int descriptor, uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return std::unexpected(SystemError("net.epoll", "cannot watch a descriptor"));
  }
  return {};
}

void EventLoop::Rearm(int descriptor, uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.ptr = &watcher}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

void EventLoop::Forget(int descriptor) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
}

void EventLoop::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->tasks.push_back(std::move(task));
  }
  const uint64_t one = 1;
  while (::write(mailbox_->wake.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

bool EventLoop::Turn(Owner& owner, int wait) {
  std::array<epoll_event, 256> events;
  const bool ticking = owner.WantsTicks();
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), owner.Busy() ? 0 : wait);
  now_ = base::Clock::System().Now();
  marker_->OnTurn(count, now_);
  for (int i = 0; i < count; ++i) {
    static_cast<Watcher*>(events[static_cast<size_t>(i)].data.ptr)->OnReady(events[static_cast<size_t>(i)].events);
  }
  if (!ticking) {
    next_tick_ = now_ + tick_;
  } else if (now_ >= next_tick_) {
    owner.OnTick(now_, now_ - next_tick_);
    next_tick_ = now_ + tick_;
  }
  return owner.OnTurnEnd();
}

std::chrono::nanoseconds EventLoop::waited() const {
  return marker_->waits ? std::max<std::chrono::nanoseconds>(marker_->last, now_ - marker_->since) : marker_->last;
}

void EventLoop::SetTick(std::chrono::nanoseconds tick) {
  tick_ = tick;
  next_tick_ = std::min(next_tick_, now_ + tick);
}

void EventLoop::Run(Owner& owner, std::chrono::nanoseconds tick) {
  now_ = base::Clock::System().Now();
  tick_ = tick;
  next_tick_ = now_ + tick;
  int wait = 0;
  do {
    wait = -1;
    if (owner.WantsTicks()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_tick_ - now_).count();
      wait = static_cast<int>(std::clamp<int64_t>(left, 0, 10'000));
    }
  } while (Turn(owner, wait));
}

}  // namespace slipway::net
