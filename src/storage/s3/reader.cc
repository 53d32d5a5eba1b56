// Reading: windows of an object are fetched by threads of their own, a few ahead of what is read.

#include <algorithm>
#include <cstring>
#include <deque>
#include <future>
#include <utility>

#include "storage/s3/store.h"

namespace slipway::storage::s3 {
namespace {

/// Enough to see what an object is, without fetching what nobody reads.
constexpr int64_t kFirstWindow = int64_t{1} << 20;
constexpr int64_t kWindow = int64_t{8} << 20;
constexpr size_t kAhead = 2;

class WindowReader final : public ObjectReader {
 public:
  WindowReader(Client& client, ObjectUrl url, Range first)
      : client_(client), url_(std::move(url)), info_(std::move(first.object)), window_(std::move(first.bytes)) {}
  ~WindowReader() override { Forget(); }
  WindowReader(const WindowReader&) = delete;
  WindowReader& operator=(const WindowReader&) = delete;

  const ObjectInfo& info() const override { return info_; }

  base::Result<size_t> Read(std::span<char> to) override {
    size_t filled = 0;
    while (filled < to.size() && place_ < info_.size) {
      if (place_ >= begin_ + static_cast<int64_t>(window_.size())) SLIPWAY_TRY(NextWindow());
      const auto at = static_cast<size_t>(place_ - begin_);
      const auto taken = std::min(to.size() - filled, window_.size() - at);
      std::memcpy(to.data() + filled, window_.data() + at, taken);
      filled += taken;
      place_ += static_cast<int64_t>(taken);
    }
    return filled;
  }

  void Seek(int64_t offset) override {
    place_ = offset;
    if (offset >= begin_ && offset <= begin_ + static_cast<int64_t>(window_.size())) return;
    Forget();
    window_.clear();
    begin_ = asked_ = offset;
  }

 private:
  using Fetched = base::Result<Range>;

  void Ask() {
    while (ahead_.size() < kAhead && asked_ < info_.size) {
      ahead_.push_back(std::async(std::launch::async, [this, from = asked_, stop = stop_.get_token()] {
        return client_.Get(url_, from, kWindow, info_.tag, stop);
      }));
      asked_ += kWindow;
    }
  }

  base::Result<void> NextWindow() {
    begin_ += static_cast<int64_t>(window_.size());
    window_ = {};  // before others are asked for: there are never more of them
    Ask();
    auto fetched = ahead_.front().get();
    ahead_.pop_front();
    if (!fetched) return std::unexpected(std::move(fetched).error());
    window_ = std::move(fetched->bytes);
    Ask();
    if (window_.empty()) {  // without a tag it cannot be seen earlier
      return base::Fail(base::Code::kFailedPrecondition, "storage.changed", "the object was replaced while it was read",
                        url_.Text());
    }
    return {};
  }

  /// What was asked for is no longer wanted.
  void Forget() {
    stop_.request_stop();
    ahead_.clear();  // waits
    stop_ = std::stop_source();
  }

  Client& client_;
  const ObjectUrl url_;
  const ObjectInfo info_;
  int64_t begin_ = 0;  ///< of the window
  std::string window_;
  int64_t place_ = 0;
  int64_t asked_ = static_cast<int64_t>(window_.size());  ///< everything before was asked for
  std::stop_source stop_;
  std::deque<std::future<Fetched>> ahead_;
};

}  // namespace

base::Result<std::unique_ptr<ObjectReader>> OpenReader(Client& client, const ObjectUrl& url) {
  SLIPWAY_ASSIGN(auto first, client.Get(url, 0, kFirstWindow, "", {}));
  return std::make_unique<WindowReader>(client, url, std::move(first));
}

}  // namespace slipway::storage::s3
