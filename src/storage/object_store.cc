#include "storage/object_store.h"

#include <fmt/format.h>

#include "base/text.h"
#include "storage/s3/config.h"
#include "storage/s3/store.h"

namespace slipway::storage {
namespace {

constexpr std::string_view kScheme = "s3://";

base::Result<std::unique_ptr<ObjectStore>> MakeStore() {
  SLIPWAY_ASSIGN(auto config, s3::ReadConfig(s3::Surroundings::System()));
  return s3::MakeStore(std::move(config));
}

}  // namespace

bool IsObjectUrl(std::string_view name) {
  return name.starts_with(kScheme);
}

base::Result<ObjectUrl> ParseObjectUrl(std::string_view url) {
  const auto bad = [&](std::string_view what) {
    return base::Fail(
        base::Code::kInvalidArgument, "storage.url",
        fmt::format("{} is no name of an object: {}; write s3://BUCKET/KEY", base::Shorten(url, 512), what));
  };
  if (!IsObjectUrl(url)) return bad("it does not begin with s3://");
  const auto rest = url.substr(kScheme.size());
  const auto bucket = rest.substr(0, rest.find('/'));
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  if (bucket.empty()) return bad("the bucket is missing");
  for (const char c : bucket) {
    if (!fits(c)) return bad("a bucket's name has letters, digits, dots and hyphens only");
  }
  const auto key = bucket.size() < rest.size() ? rest.substr(bucket.size() + 1) : std::string_view();
  if (key.size() > 1024) return bad("a key has at most 1,024 bytes");
  if (!base::IsValidUtf8(key)) return bad("a key is text in UTF-8");
  return ObjectUrl{.bucket = std::string(bucket), .key = std::string(key)};
}

base::Result<ObjectStore*> StoreOf(std::string_view url) {
  SLIPWAY_TRY(ParseObjectUrl(url));
  static const auto made = MakeStore();
  if (!made) return std::unexpected(made.error());
  return made->get();
}

}  // namespace slipway::storage
