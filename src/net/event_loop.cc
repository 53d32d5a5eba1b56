#include "net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>

namespace slipway::net {

namespace {

constexpr size_t kTurnEvents = 256;
/// Seen at once while the newest are served first: more than this cannot be served within any deadline.
constexpr size_t kMostSeen = size_t{1} << 16;
constexpr auto kNewestFor = std::chrono::seconds(1);
constexpr auto kNewestSlice = std::chrono::milliseconds(8);  ///< then what became ready meanwhile comes first
constexpr size_t kOldestShare = 8;

/// An event's data: the watcher, with a bit for those served first.
uint64_t Tagged(Watcher& watcher) {
  static_assert(alignof(Watcher) >= 2);
  return reinterpret_cast<uint64_t>(&watcher) | (watcher.turn() == Watcher::Turn::kFirst ? 1 : 0);
}
bool IsFirst(const epoll_event& event) {
  return (event.data.u64 & 1) != 0 || event.events != EPOLLIN;
}
Watcher& WatcherOf(const epoll_event& event) {
  return *reinterpret_cast<Watcher*>(event.data.u64 & ~uint64_t{1});
}

}  // namespace

struct EventLoop::Mailbox final : Watcher {
  Mailbox() : Watcher(Turn::kFirst) {}
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
  Marker() : Watcher(Turn::kFirst) {}
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
      events_(kTurnEvents),
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
  epoll_event event{.events = events, .data = {.u64 = Tagged(watcher)}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return std::unexpected(SystemError("net.epoll", "cannot watch a descriptor"));
  }
  ++watched_;
  return {};
}

void EventLoop::Rearm(int descriptor, uint32_t events, Watcher& watcher) {
  epoll_event event{.events = events, .data = {.u64 = Tagged(watcher)}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

void EventLoop::Forget(int descriptor) {
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr) == 0) --watched_;
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

void EventLoop::Serve(const epoll_event& event) {
  Watcher& watcher = WatcherOf(event);
  watcher.ready_since_ = {};
  watcher.OnReady(event.events);
}

void EventLoop::ServeInOrder(size_t ready) {
  marker_->OnTurn(static_cast<int>(ready), now_);
  for (size_t i = 0; i < ready; ++i) Serve(events_[i]);
}

/// The kernel's order is no help: a descriptor that was served and is ready again keeps its place in it.
void EventLoop::ServeNewest(size_t ready) {
  line_.clear();
  for (size_t i = 0; i < ready; ++i) {
    Watcher& watcher = WatcherOf(events_[i]);
    if (watcher.ready_since_ == base::SteadyTime()) watcher.ready_since_ = now_;
    line_.emplace_back(IsFirst(events_[i]) ? base::SteadyTime::max() : watcher.ready_since_, i);
  }
  std::ranges::sort(line_, std::greater<>());
  const auto serve = [this](const std::pair<base::SteadyTime, size_t>& one) {
    at_hand_ = std::min(one.first, now_);
    Serve(events_[one.second]);
  };
  size_t newest = 0, oldest = line_.size(), old = 0;
  const auto in_time = [&] {
    return line_[newest].first == base::SteadyTime::max() || newest == 0 ||
           base::Clock::System().Now() - now_ < kNewestSlice;
  };
  while (newest < oldest && in_time()) serve(line_[newest++]);
  while (newest < oldest && old++ * kOldestShare < newest) serve(line_[--oldest]);
  at_hand_.reset();
  marker_->last = std::chrono::nanoseconds(0);
}

void EventLoop::PreferNewest() {
  newest_until_ = now_ + kNewestFor;
}

bool EventLoop::Turn(Owner& owner, int wait) {
  const bool newest = now_ < newest_until_;
  if (newest && events_.size() < watched_) events_.resize(std::min(watched_, kMostSeen));
  const bool ticking = owner.WantsTicks();
  const int seen = static_cast<int>(newest ? events_.size() : kTurnEvents);
  const auto ready =
      static_cast<size_t>(std::max(0, ::epoll_wait(epoll_.get(), events_.data(), seen, owner.Busy() ? 0 : wait)));
  now_ = base::Clock::System().Now();
  if (newest) {
    ServeNewest(ready);
  } else {
    ServeInOrder(ready);
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
  if (at_hand_) return std::max(std::chrono::nanoseconds(1), now_ - *at_hand_);  // a long turn is a wait, too
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
