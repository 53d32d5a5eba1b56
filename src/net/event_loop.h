#pragma once
// One thread's turn-taking over descriptors: epoll, a mailbox for other threads, and a tick for deadlines.
// Why not a library's: docs/design/http-server.md.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/descriptor.h"

struct epoll_event;

namespace slipway::net {

/// Something that a loop calls when its descriptor is ready.
class Watcher {
 public:
  enum class Turn : uint8_t { kOwn, kFirst };  ///< kFirst: before others, where not all can be served
  explicit Watcher(Turn turn = Turn::kOwn) : turn_(turn) {}
  virtual ~Watcher() = default;
  virtual void OnReady(uint32_t events) = 0;  ///< EPOLLIN, EPOLLOUT, …
  Turn turn() const { return turn_; }

 private:
  friend class EventLoop;
  Turn turn_;
  base::SteadyTime ready_since_;  ///< the turn in which it was first seen ready and not served; else the epoch
};

/// Thread-safety: Post() from any thread; everything else on the thread that calls Run(), or before it.
class EventLoop {
 public:
  static base::Result<std::unique_ptr<EventLoop>> Create();
  ~EventLoop();

  /// Level-triggered. A watcher must live until the end of the turn in which it is forgotten.
  base::Result<void> Watch(int descriptor, uint32_t events, Watcher& watcher);
  void Rearm(int descriptor, uint32_t events, Watcher& watcher);
  void Forget(int descriptor);

  /// Runs `task` in the loop's next turn. Tasks posted after Run() has returned never run.
  void Post(std::function<void()> task);

  /// What Run() asks its owner.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// After each turn; false ends Run().
    virtual bool OnTurnEnd() = 0;
    /// Every `tick` while WantsTicks(), `late` after it was due: what else happened in the loop for so long.
    virtual void OnTick(base::SteadyTime now, std::chrono::nanoseconds late) = 0;
    virtual bool WantsTicks() const = 0;
    /// True: the next turn comes at once, ready descriptors or not.
    virtual bool Busy() const = 0;
  };
  void Run(Owner& owner, std::chrono::nanoseconds tick);
  /// One turn of Run(), for tests that step it: waits at most `wait` milliseconds. What Run() would do next is
  /// returned.
  bool Turn(Owner& owner, int wait);

  /// From the next tick on. On the loop's thread.
  void SetTick(std::chrono::nanoseconds tick);

  /// The time at which this turn began.
  base::SteadyTime now() const { return now_; }
  /// About how long what is ready now has waited for its turn: 0 unless there is more than a turn can do at once. It is
  /// measured by a descriptor of the loop's own, which waits among the others; while the newest are served first, by
  /// the turn in which each was first seen.
  std::chrono::nanoseconds waited() const;

  /// What is ready has waited so long that it was in vain: for a while, while more is ready than a turn can do, what
  /// became ready last is served first, and of what has waited longest an eighth as many. In the order they came, all
  /// would come too late for as long as more comes than can be done. docs/design/newest-first.md
  void PreferNewest();

 private:
  struct Mailbox;
  struct Marker;
  void Serve(const epoll_event& event);
  void ServeInOrder(size_t ready);
  void ServeNewest(size_t ready);
  EventLoop(Descriptor epoll, std::unique_ptr<Mailbox> mailbox, std::unique_ptr<Marker> marker);

  Descriptor epoll_;
  std::unique_ptr<Mailbox> mailbox_;
  std::unique_ptr<Marker> marker_;
  std::vector<epoll_event> events_;  ///< room for what one turn looks at
  size_t watched_ = 0;
  base::SteadyTime newest_until_;                          ///< until then the newest are served first
  std::vector<std::pair<base::SteadyTime, size_t>> line_;  ///< then: since when which of events_ are ready
  std::optional<base::SteadyTime> at_hand_;                ///< then: since when the one that is served was
  base::SteadyTime now_, next_tick_;
  std::chrono::nanoseconds tick_{0};
};

}  // namespace slipway::net
