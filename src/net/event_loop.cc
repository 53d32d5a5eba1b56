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

EventLoop::EventLoop(Descriptor epoll, std::unique_ptr<Mailbox> mailbox)
    : epoll_(std::move(epoll)), mailbox_(std::move(mailbox)), now_(base::Clock::System().Now()) {}
EventLoop::~EventLoop() = default;

base::Result<std::unique_ptr<EventLoop>> EventLoop::Create() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return std::unexpected(SystemError("net.epoll", "cannot create an event queue"));
  auto mailbox = std::make_unique<Mailbox>();
  mailbox->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!mailbox->wake.valid()) return std::unexpected(SystemError("net.eventfd", "cannot create a wake-up descriptor"));
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(mailbox)));
  SLIPWAY_TRY(loop->Watch(loop->mailbox_->wake.get(), EPOLLIN, *loop->mailbox_));
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
