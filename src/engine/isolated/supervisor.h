#pragma once
// Supervisor: keeps one model's process up, and tells those who wait for it what became of it.
//
//   starting ──ready──▶ up ──end, kill──▶ down ──after a pause──▶ starting …      (the first start may fail for good)

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "engine/child/parcel.h"
#include "engine/engine.h"
#include "engine/isolated/isolator.h"
#include "engine/isolated/lane.h"
#include "engine/isolated/model_hello.h"

namespace slipway::engine::isolated {

/// The descriptor of a child, beside those of base::kChildReport and kChildInput, that lanes come through.
inline constexpr int kChildControl = base::kFirstLent + 2;

/// What is to be kept up.
struct SupervisedModel {
  std::string name, version;
  PackedParcel parcel;
};

/// A way into a process: they are numbered in the order in which they came up, from 1.
struct Way {
  int64_t process = 0;
  std::shared_ptr<Lane> lane;
};

/// Thread-safety: all methods from any thread. The process ends when this does.
class Supervisor {
 public:
  using MakeThread = std::function<std::jthread(std::function<void(std::stop_token)>)>;
  /// Returns once the model is loaded. Errors: those of Isolator::Start().
  static base::Result<std::shared_ptr<Supervisor>> Start(const IsolationOptions& options, SupervisedModel model,
                                                         const MakeThread& make_thread);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  const IsolationOptions& options() const { return options_; }
  const ModelInfo& info() const { return *info_; }
  ProcessReading Read() const;

  /// The number of the process that is up; 0: none is.
  int64_t up() const { return up_.load(std::memory_order_acquire); }
  /// Errors: unavailable "engine.crashed": none is up.
  base::Result<Way> Open();
  /// That a lane into `process` is gone: waits a moment for why. The error to answer with: unavailable
  /// "engine.crashed".
  base::Error WhyGone(int64_t process);
  /// Ends the process, if it is still that one.
  void Condemn(int64_t process, std::string reason, std::string text);
  /// Nobody waits for the lane's run any more, which had time until `deadline`: ends the process if it goes on for
  /// longer than options().patience after that. In the system's clock.
  void Watch(const Way& way, base::SteadyTime deadline);

 private:
  /// How one process ended.
  struct Ending {
    int64_t pid = 0;
    std::string reason, text;
    std::chrono::nanoseconds up{0};
    std::optional<base::Error> refusal;  ///< it was not loaded, in the child's words
  };
  struct Started;
  struct Overdue {
    std::shared_ptr<Lane> lane;
    uint64_t sequence;
    base::SteadyTime until;
  };

  Supervisor(const IsolationOptions& options, SupervisedModel model);
  void Supervise(const std::stop_token& stop);
  Ending RunProcess(const std::stop_token& stop);
  base::Result<Started> StartProcess() const;
  /// Waits for the first line. The error, with reason "start", "hang" or "protocol", says why there is none.
  base::Result<Hello> AwaitHello(const Started& started, const std::stop_token& stop) const;
  bool TakeHello(base::Result<Hello> hello, Ending& ending);
  void BringUp(Started& started);
  void TakeDown();
  void WatchProcess(const base::Child& child, const std::stop_token& stop, Ending& ending);
  std::optional<base::SteadyTime> NextLook(Ending& ending);
  void Judge(const base::ChildEnd& end, base::Bytes memory, Ending& ending) const;
  void Note(const Ending& ending, std::chrono::nanoseconds pause);
  void Settle(base::Result<void> first);
  base::Error Gone() const;
  void Wake() const;

  const IsolationOptions options_;
  const SupervisedModel model_;
  const base::FileDescriptor wake_;  ///< an eventfd
  std::optional<ModelInfo> info_;    ///< set before the first process is up, never changed
  std::atomic<int64_t> up_{0};

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable_any changed_;
  std::optional<base::Result<void>> first_;  ///< how the first start went
  int64_t processes_ = 0, ended_ = 0;        ///< numbers of the last that came up, and of the last that ended
  base::FileDescriptor control_;
  std::optional<std::pair<std::string, std::string>> condemned_;  ///< reason and text
  std::vector<Overdue> overdue_;
  ProcessReading reading_;
  base::SteadyTime next_start_;

  std::jthread thread_;
};

}  // namespace slipway::engine::isolated
