#include "serving/cache/redis/redis_address.h"

#include <fmt/format.h>

#include <limits>
#include <optional>

#include "base/text.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kScheme = "redis://", kSecureScheme = "rediss://";

std::unexpected<base::Error> Refuse(std::string_view what) {
  return base::Fail(base::Code::kInvalidArgument, "redis.url",
                    fmt::format("{}; it reads redis://[[user]:password@]host[:port][/database]", what));
}

/// What stands before the last `mark` is cut off `text`; nullopt without one.
std::optional<std::string_view> CutBefore(std::string_view& text, char mark) {
  const size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + 1);
  return before;
}

base::Result<int> ReadNumber(std::string_view text, int most, std::string_view what) {
  const auto number = base::ParseInt64(text);
  if (number && *number >= 0 && *number <= most) return static_cast<int>(*number);
  return Refuse(fmt::format("the {} is no number from 0 to {}", what, most));  // unsaid: it may be a misplaced password
}

base::Result<void> ReadLogin(std::string_view login, RedisAddress& address) {
  const size_t colon = login.find(':');
  if (colon == std::string_view::npos) return Refuse("what stands before the @ has no colon before the password");
  const auto user = base::DecodePercent(login.substr(0, colon));
  const auto password = base::DecodePercent(login.substr(colon + 1));
  if (!user || !password) return Refuse("a % of the user or password is no escape (%25 means a %)");
  address.user = *user;
  address.password = *password;
  return {};
}

}  // namespace

base::Result<RedisAddress> RedisAddress::Parse(std::string_view url) {
  if (url.starts_with(kSecureScheme)) {
    return Refuse("rediss:// (TLS) is not spoken: let a tunnel such as stunnel stand between, and name its address");
  }
  if (!url.starts_with(kScheme)) return Refuse("the address of the Redis does not begin with redis://");
  RedisAddress address;
  std::string_view rest = url.substr(kScheme.size());
  if (const auto login = CutBefore(rest, '@')) SLIPWAY_TRY(ReadLogin(*login, address));
  if (rest.find_first_of("?#") != std::string_view::npos) return Refuse("the address of the Redis takes no ? and no #");
  if (const size_t slash = rest.find('/'); slash != std::string_view::npos) {
    if (slash + 1 < rest.size()) {
      SLIPWAY_ASSIGN(address.database, ReadNumber(rest.substr(slash + 1), std::numeric_limits<int>::max(), "database"));
    }
    rest = rest.substr(0, slash);
  }
  const size_t colon = rest.rfind(':'), bracket = rest.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    SLIPWAY_ASSIGN(address.port, ReadNumber(rest.substr(colon + 1), 65'535, "port"));
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty() || rest.find_first_of("[] ") != std::string_view::npos) return Refuse("no host is named");
  if (address.port == 0) return Refuse("the port 0 is none");
  address.host = rest;
  return address;
}

std::string RedisAddress::Shown() const {
  const bool bare = host.find(':') == std::string::npos;
  return fmt::format("{}:{}/{}", bare ? host : "[" + host + "]", port, database);
}

}  // namespace slipway::serving
