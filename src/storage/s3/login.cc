#include "storage/s3/login.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "base/value.h"
#include "storage/s3/answers.h"
#include "storage/s3/xml.h"

namespace slipway::storage::s3 {
namespace {

/// Fetched again when they hold for less.
constexpr std::chrono::minutes kLeast{5};
constexpr size_t kMostBytes = size_t{64} << 10;
constexpr int64_t kMostTokenBytes = 64 << 10;
constexpr std::chrono::milliseconds kPatience{5'000};
/// A machine that is none of Amazon's has nobody at that address.
constexpr std::chrono::milliseconds kInstancePatience{2'000};

/// A token is sent in the clear to what stands beside the process only.
bool IsNear(std::string_view url) {
  static constexpr std::array<std::string_view, 5> kHosts = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                                             "[fd00:ec2::23]"};
  static constexpr std::string_view kHttp = "http://";
  if (!url.starts_with(kHttp)) return url.starts_with("https://");
  const auto authority = url.substr(kHttp.size(), url.substr(kHttp.size()).find_first_of("/?#"));
  const auto bracket = authority.find(']');
  const auto host = authority.substr(0, bracket == std::string_view::npos ? authority.find(':') : bracket + 1);
  if (authority.find('@') != std::string_view::npos) return false;
  const bool loopback = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return loopback || std::ranges::find(kHosts, host) != kHosts.end();
}

}  // namespace

std::unexpected<base::Error> LoginKeeper::Failed(std::string_view what) const {
  const std::string_view cure =
      login_.kind == Login::Kind::kInstance
          ? "; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, where a machine has none of its own"
          : "";
  return base::Fail(base::Code::kPermissionDenied, "storage.credentials",
                    fmt::format("the credentials {} cannot be had: {}{}", login_.told, what, cure));
}

base::Result<std::string> LoginKeeper::Ask(HttpRequest request) {
  request.most_bytes = kMostBytes;
  request.patience = login_.kind == Login::Kind::kInstance ? kInstancePatience : kPatience;
  HttpAnswer answer;
  if (const auto sent = http_.Send(request, answer); !sent) return Failed(sent.error().message);
  if (answer.status == 200) return std::move(answer.body);
  std::string code;
  if (const auto fault = ReadFault(answer.body); !fault.code.empty()) code = " " + base::Shorten(fault.code);
  return Failed(fmt::format("the answer is {}{}", answer.status, code));
}

base::Result<LoginKeeper::Lent> LoginKeeper::FromRole() {
  const auto token = base::ReadFile(login_.token_file, kMostTokenBytes);
  if (!token) return Failed(token.error().Text());
  const auto body = CanonicalQuery({{"Action", "AssumeRoleWithWebIdentity"},
                                    {"Version", "2011-06-15"},
                                    {"RoleArn", login_.role},
                                    {"RoleSessionName", "slipway"},
                                    {"WebIdentityToken", std::string(base::Trim(*token))}});
  HttpRequest request{.method = "POST", .url = login_.url + "/", .body = body};
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  SLIPWAY_ASSIGN(const auto text, Ask(std::move(request)));
  Lent lent;
  const auto read = ReadXml(text, [&](std::string_view path, std::string_view value) {
    if (path.ends_with("/Credentials/AccessKeyId")) lent.credentials.id = value;
    if (path.ends_with("/Credentials/SecretAccessKey")) lent.credentials.secret = value;
    if (path.ends_with("/Credentials/SessionToken")) lent.credentials.token = value;
    if (path.ends_with("/Credentials/Expiration")) {
      lent.ends = std::chrono::system_clock::from_time_t(ReadTime(std::string(value)));
    }
  });
  if (!read) return Failed(read.error().message);
  return lent;
}

namespace {

/// The form in which agents and metadata services give them.
std::optional<std::pair<Credentials, base::WallTime>> ReadLent(std::string_view json) {
  const auto value = base::ParseJson(json, {.bytes = kMostBytes, .depth = 4, .values = 64});
  if (!value || !value->is_map()) return std::nullopt;
  const auto text = [&](std::string_view key) {
    const auto* found = value->Find(key);
    return found != nullptr && found->is_string() ? found->string() : std::string();
  };
  return std::pair(Credentials{.id = text("AccessKeyId"), .secret = text("SecretAccessKey"), .token = text("Token")},
                   std::chrono::system_clock::from_time_t(ReadTime(text("Expiration"))));
}

}  // namespace

base::Result<LoginKeeper::Lent> LoginKeeper::FromContainer() {
  if (!IsNear(login_.url))
    return Failed("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine");
  HttpRequest request{.method = "GET", .url = login_.url};
  std::string token = login_.token;
  if (!login_.token_file.empty()) {
    const auto read = base::ReadFile(login_.token_file, kMostTokenBytes);
    if (!read) return Failed(read.error().Text());
    token = base::Trim(*read);
  }
  if (!token.empty()) request.headers["authorization"] = token;
  SLIPWAY_ASSIGN(const auto text, Ask(std::move(request)));
  const auto read = ReadLent(text);
  if (!read) return Failed("the answer is not the JSON that was expected");
  return Lent{.credentials = read->first, .ends = read->second};
}

base::Result<LoginKeeper::Lent> LoginKeeper::FromInstance() {
  HttpRequest ask{.method = "PUT", .url = login_.url + "/latest/api/token"};
  ask.headers["x-aws-ec2-metadata-token-ttl-seconds"] = "300";
  SLIPWAY_ASSIGN(const auto token, Ask(std::move(ask)));
  const std::string roles = login_.url + "/latest/meta-data/iam/security-credentials/";
  HttpRequest request{.method = "GET", .url = roles};
  request.headers["x-aws-ec2-metadata-token"] = token;
  SLIPWAY_ASSIGN(const auto role, Ask(request));
  request.url = roles + base::EncodePercent(base::Trim(std::string_view(role).substr(0, role.find('\n'))));
  SLIPWAY_ASSIGN(const auto text, Ask(request));
  const auto read = ReadLent(text);
  if (!read) return Failed("the answer is not the JSON that was expected");
  return Lent{.credentials = read->first, .ends = read->second};
}

base::Result<LoginKeeper::Lent> LoginKeeper::Fetch() {
  SLIPWAY_ASSIGN(auto lent, login_.kind == Login::Kind::kWebIdentity ? FromRole()
                            : login_.kind == Login::Kind::kContainer ? FromContainer()
                                                                     : FromInstance());
  if (lent.credentials.id.empty() || lent.credentials.secret.empty()) return Failed("the answer has no keys in it");
  return lent;
}

base::Result<Credentials> LoginKeeper::Get() {
  if (login_.kind == Login::Kind::kFixed) return login_.fixed;
  const std::lock_guard lock(mutex_);
  if (lent_ && lent_->ends - clock_.WallNow() >= kLeast) return lent_->credentials;
  auto fetched = Fetch();
  // What still holds for a minute is better than nothing.
  if (!fetched && lent_ && lent_->ends > clock_.WallNow()) return lent_->credentials;
  if (!fetched) return std::unexpected(std::move(fetched).error());
  lent_ = *std::move(fetched);
  return lent_->credentials;
}

}  // namespace slipway::storage::s3
