// Writing: an object that fits into one part is put at once; a longer one goes up in parts, each sent by a thread of
// its own while the next one fills.

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <future>
#include <utility>

#include "base/ids.h"
#include "storage/s3/store.h"

namespace slipway::storage::s3 {
namespace {

constexpr int64_t kMegabyte = int64_t{1} << 20;
constexpr int64_t kMostParts = 10'000;
constexpr int64_t kLeastPart = 8 * kMegabyte;
/// Where the length is not known: enough for 160 GB.
constexpr int64_t kUsualPart = 16 * kMegabyte;
constexpr int64_t kMostPart = int64_t{5} << 30;
constexpr size_t kUnderWay = 2;

class PartsWriter final : public ObjectWriter {
 public:
  PartsWriter(Client& client, ObjectUrl url, int64_t part_bytes)
      : client_(client), url_(std::move(url)), part_bytes_(static_cast<size_t>(part_bytes)) {}
  ~PartsWriter() override {
    if (id_.empty() || finished_) return;
    stop_.request_stop();
    under_way_.clear();  // waits: a part that comes in behind the abort would stay
    const auto aborted = client_.AbortUpload(url_, id_);
    static_cast<void>(aborted);
  }
  PartsWriter(const PartsWriter&) = delete;
  PartsWriter& operator=(const PartsWriter&) = delete;

  base::Result<void> Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (part_.size() == part_bytes_) SLIPWAY_TRY(Ship());
      if (part_.capacity() < part_bytes_ && part_.size() + bytes.size() > part_.capacity()) {
        part_.reserve(std::min(part_bytes_, std::max(2 * part_.capacity(), part_.size() + bytes.size())));
      }
      const auto taken = std::min(bytes.size(), part_bytes_ - part_.size());
      part_.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
    }
    return {};
  }

  base::Result<void> Finish() override {
    if (id_.empty()) {
      SLIPWAY_TRY(client_.Put(url_, part_));
      finished_ = true;
      return {};
    }
    SLIPWAY_TRY(Ship());
    while (!under_way_.empty()) SLIPWAY_TRY(Await());
    SLIPWAY_TRY(client_.CompleteUpload(url_, id_, parts_, mark_));
    finished_ = true;
    return {};
  }

 private:
  /// Sends the part that is full, or the last one.
  base::Result<void> Ship() {
    if (id_.empty()) {
      mark_ = base::NewRequestId();
      SLIPWAY_ASSIGN(id_, client_.BeginUpload(url_, mark_));
    }
    if (count_ == kMostParts) {
      return base::Fail(
          base::Code::kResourceExhausted, "storage.too_large",
          fmt::format("an object of {} parts of {} bytes takes no more; write several", count_, part_bytes_),
          url_.Text());
    }
    if (under_way_.size() == kUnderWay) SLIPWAY_TRY(Await());
    ++count_;
    under_way_.push_back(std::async(
        std::launch::async, [this, number = count_, bytes = std::exchange(part_, {}), stop = stop_.get_token()] {
          return client_.UploadPart(url_, id_, number, bytes, stop);
        }));
    return {};
  }

  base::Result<void> Await() {
    auto sent = under_way_.front().get();
    under_way_.pop_front();
    if (!sent) return std::unexpected(std::move(sent).error());
    parts_.push_back(*std::move(sent));
    return {};
  }

  Client& client_;
  const ObjectUrl url_;
  const size_t part_bytes_;
  std::string part_;
  std::string id_, mark_;  ///< of the upload, once it was begun
  int count_ = 0;
  bool finished_ = false;
  std::vector<UploadedPart> parts_;
  std::stop_source stop_;
  std::deque<std::future<base::Result<UploadedPart>>> under_way_;
};

}  // namespace

int64_t PartBytesFor(int64_t expected_bytes) {
  if (expected_bytes <= 0) return kUsualPart;
  // A tenth more than is expected still fits.
  const int64_t wanted = expected_bytes / (kMostParts - kMostParts / 10) + 1;
  return std::clamp((wanted + kMegabyte - 1) / kMegabyte * kMegabyte, kLeastPart, kMostPart);
}

std::unique_ptr<ObjectWriter> MakeWriter(Client& client, const ObjectUrl& url, int64_t expected_bytes) {
  return std::make_unique<PartsWriter>(client, url, PartBytesFor(expected_bytes));
}

}  // namespace slipway::storage::s3
