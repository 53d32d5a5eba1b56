#include "engine/isolated/isolator.h"

#include <condition_variable>
#include <deque>
#include <future>
#include <stop_token>
#include <utility>

#include "engine/child/parcel.h"
#include "engine/isolated/isolated_engine.h"

namespace slipway::engine {

/// Starts threads from a thread of its own: what they inherit is its priority, not that of who asks, which a model that
/// is loaded in the background would otherwise keep for good.
class Isolator::ThreadMaker {
 public:
  using Body = std::function<void(std::stop_token)>;

  std::jthread Make(Body body) {
    Wish wish{std::move(body), {}};
    auto made = wish.made.get_future();
    {
      const std::lock_guard lock(mutex_);
      wishes_.push_back(std::move(wish));
    }
    asked_.notify_one();
    return made.get();
  }

 private:
  struct Wish {
    Body body;
    std::promise<std::jthread> made;
  };
  void Serve(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (asked_.wait(lock, stop, [this] { return !wishes_.empty(); })) {
      Wish wish = std::move(wishes_.front());
      wishes_.pop_front();
      wish.made.set_value(std::jthread(std::move(wish.body)));
    }
  }

  std::mutex mutex_;  ///< guards wishes_
  std::condition_variable_any asked_;
  std::deque<Wish> wishes_;
  std::jthread thread_{[this](const std::stop_token& stop) { Serve(stop); }};
};

Isolator::Isolator(IsolationOptions options)
    : options_(std::move(options)), threads_(std::make_unique<ThreadMaker>()) {}
Isolator::~Isolator() = default;

base::Result<std::unique_ptr<Engine>> Isolator::Start(const bundle::Bundle& bundle, const EngineOptions& options,
                                                      const std::vector<std::string>& external_files) {
  const auto& manifest = bundle.manifest();
  SLIPWAY_ASSIGN(auto parcel, PackParcel(bundle, options, external_files));
  IsolationOptions own = options_;
  if (manifest.limits.timeout) own.run_time = *manifest.limits.timeout;
  SLIPWAY_ASSIGN(auto supervisor, isolated::Supervisor::Start(
                                      own, {manifest.name, manifest.version.ToString(), std::move(parcel)},
                                      [this](ThreadMaker::Body body) { return threads_->Make(std::move(body)); }));
  return std::make_unique<isolated::IsolatedEngine>(std::move(supervisor));
}

}  // namespace slipway::engine
