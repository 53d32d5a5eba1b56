#include "storage/s3/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace slipway::storage::s3 {
namespace {

constexpr int kPage = 1000;

class Store final : public ObjectStore {
 public:
  explicit Store(std::unique_ptr<Client> client) : client_(std::move(client)) {}

  base::Result<ObjectInfo> Look(const ObjectUrl& url) override { return client_->Head(url); }

  base::Result<std::vector<ObjectInfo>> List(const ObjectUrl& prefix, size_t most) override {
    Listing listing;
    do {
      SLIPWAY_TRY(client_->List(prefix, kPage, listing));
      if (listing.objects.size() <= most) continue;
      return base::Fail(base::Code::kResourceExhausted, "storage.too_many",
                        fmt::format("more than {} objects begin with this name; name fewer of them", most),
                        prefix.Text());
    } while (!listing.next.empty());
    std::ranges::sort(listing.objects, {}, &ObjectInfo::key);  // not all servers do it by bytes
    return std::move(listing.objects);
  }

  base::Result<bool> HasAny(const ObjectUrl& prefix) override {
    Listing listing;
    SLIPWAY_TRY(client_->List(prefix, 1, listing));
    return !listing.objects.empty();
  }

  base::Result<std::unique_ptr<ObjectReader>> Open(const ObjectUrl& url) override { return OpenReader(*client_, url); }

  base::Result<std::unique_ptr<ObjectWriter>> Create(const ObjectUrl& url, int64_t expected_bytes) override {
    return MakeWriter(*client_, url, expected_bytes);
  }

  base::Result<void> Remove(const ObjectUrl& url) override { return client_->Delete(url); }

  base::Result<void> DropUnfinished(const ObjectUrl& prefix) override {
    Uploads uploads;
    do {
      SLIPWAY_TRY(client_->ListUploads(prefix, uploads));
    } while (!uploads.next_key.empty());
    for (const auto& [key, id] : uploads.uploads) {
      if (key.starts_with(prefix.key)) SLIPWAY_TRY(client_->AbortUpload({.bucket = prefix.bucket, .key = key}, id));
    }
    return {};
  }

 private:
  std::unique_ptr<Client> client_;
};

}  // namespace

base::Result<std::unique_ptr<ObjectStore>> MakeStore(Config config) {
  SLIPWAY_ASSIGN(auto client, Client::Create(std::move(config)));
  return std::make_unique<Store>(std::move(client));
}

}  // namespace slipway::storage::s3
