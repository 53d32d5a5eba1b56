#pragma once
// Batcher: the calls of many threads into one model, as many at a time as it has sessions, together where that pays.
//
// It never waits for company: a call runs at once when a session is free. What comes while all are busy is collected,
// and whoever waits first runs it, with all others that fit, as soon as a session is free again.
//
//   auto batcher = Batcher::Create({.most_rows = 64}, std::move(sessions));
//   auto session = batcher->NewSession();      // one a thread
//   session->Run(inputs, outputs, deadline);   // may run with the rows of others

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/batching/run_cost.h"
#include "engine/engine.h"

namespace slipway::engine {

struct BatcherOptions {
  /// Of one run that several calls share. A call that has more by itself runs alone; 1: all do. The model's rows must
  /// get the same answers in runs up to here.
  int64_t most_rows = 1;
  const base::Clock* clock = &base::Clock::System();
};

/// Thread-safety: all methods from any thread. Ownership: sessions keep it alive; the engine outlives it.
class Batcher : public std::enable_shared_from_this<Batcher> {
 public:
  /// `sessions` (at least one) bound how many runs go on at the same time.
  static std::shared_ptr<Batcher> Create(BatcherOptions options, std::vector<std::unique_ptr<Session>> sessions);
  ~Batcher();

  /// One thread's way in.
  class Lane;
  std::unique_ptr<Lane> NewSession();

  struct Reading {
    int64_t runs = 0;      ///< of the model
    int64_t calls = 0;     ///< that they answered
    int64_t together = 0;  ///< calls that shared their run
    int64_t waiting = 0;   ///< calls, now
    int64_t expired = 0;   ///< calls given up before they ran
    RunCost cost;
  };
  Reading Read() const;
  /// Nanoseconds that a call of one row would wait now, by what runs have taken; while none has ended, `row` is what a
  /// row takes.
  double ExpectedWait(double row) const;
  /// Nanoseconds that so many rows will take by themselves, by what runs have taken; 0 while none has ended.
  double CostOf(int64_t rows) const;

 private:
  enum class State : uint8_t {
    kWaiting,
    kFirst,    ///< its own thread is to run it, with the session it was given
    kPinned,   ///< another thread reads its inputs or writes its outputs: its own must stay
    kRunning,  ///< by another thread, from a copy of its inputs
    kDone,     ///< its result and its outputs are there
  };
  struct Call;
  struct Crowd;
  friend class Lane;

  Batcher(BatcherOptions options, std::vector<std::unique_ptr<Session>> sessions);
  base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs, const base::Deadline& deadline,
                         Lane& lane);
  base::Result<void> RunAsFirst(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Call>& first);
  std::vector<std::shared_ptr<Call>> TakeCompany(const std::shared_ptr<Call>& first);
  void RunTogether(std::unique_lock<std::mutex>& lock, Session& session, Crowd& crowd);
  static void Settle(Call& call, State state);
  static void Settle(Crowd& crowd, State state);
  static void Join(Crowd& crowd);
  static bool Split(Crowd& crowd);
  void RunEach(std::unique_lock<std::mutex>& lock, Session& session, Crowd& crowd);
  base::Result<void> GiveUp(Call& call, const base::Deadline& deadline);
  void Enqueue(const std::shared_ptr<Call>& call);
  void Release(Session& session);

  const BatcherOptions options_;
  const std::vector<std::unique_ptr<Session>> sessions_;

  mutable std::mutex mutex_;  ///< guards what follows; never held while the model runs
  std::vector<Session*> idle_;
  std::deque<std::shared_ptr<Call>> waiting_;  ///< none while a session is idle
  Reading reading_;
  int64_t expected_ = 0;  ///< rows that requests are yet to ask for
  RunCost pace_;          ///< as reading_.cost, from when a session was free on: with the way to the next one's thread
  int64_t chances_ = 0;   ///< that company was not taken since it does not pay
};

/// Thread-safety: one thread.
class Batcher::Lane final : public Session {
 public:
  ~Lane() override { Expect(0); }
  base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                         const base::Deadline& deadline) override;
  /// Of the calls that follow: those with lower numbers go first; 0 by default.
  void SetPriority(int priority) { priority_ = priority; }
  /// The calls that follow are parts of one request of so many rows, until that is ended by 0. A request that has its
  /// turn part by part is not seen whole by anybody otherwise.
  void Expect(int64_t rows);
  /// Nanoseconds that what others' requests are yet to ask for will take.
  double ExpectedOfOthers() const;
  double CostOf(int64_t rows) const { return batcher_->CostOf(rows); }
  /// Nanoseconds that its calls have waited for a session since this was asked last.
  int64_t TakeWaited() { return std::exchange(waited_, 0); }
  /// Whether one of its calls since this was asked last shared a run: what it took tells nothing of a row alone.
  bool TakeShared() { return std::exchange(shared_, false); }

 private:
  friend class Batcher;
  explicit Lane(std::shared_ptr<Batcher> batcher) : batcher_(std::move(batcher)) {}
  const std::shared_ptr<Batcher> batcher_;
  int priority_ = 0;
  int64_t expected_ = 0;  ///< written by its thread under the batcher's mutex
  int64_t waited_ = 0;
  bool shared_ = false;
};

}  // namespace slipway::engine
