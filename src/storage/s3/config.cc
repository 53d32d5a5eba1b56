#include "storage/s3/config.h"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/quantities.h"
#include "base/text.h"

namespace slipway::storage::s3 {
namespace {

constexpr int64_t kMostFileBytes = int64_t{1} << 20;
constexpr int64_t kMostAttempts = 100;

std::unexpected<base::Error> Bad(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "storage.config", std::move(message));
}

using Section = std::map<std::string, std::string, std::less<>>;

/// The settings of one section of an INI file; nullopt when there is no such section. Settings of settings (lines that
/// are indented) are passed over.
std::optional<Section> ReadSection(std::string_view text, std::string_view name) {
  std::optional<Section> section;
  bool inside = false;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto words = base::Trim(line);
    if (words.starts_with('[')) {
      inside = words.ends_with(']') && base::Trim(words.substr(1, words.size() - 2)) == name;
      if (inside && !section) section.emplace();
      continue;
    }
    const auto equals = words.find('=');
    const bool indented = line.starts_with(' ') || line.starts_with('\t');
    if (!inside || indented || words.starts_with('#') || words.starts_with(';') || equals == std::string_view::npos)
      continue;
    (*section)[std::string(base::Trim(words.substr(0, equals)))] = base::Trim(words.substr(equals + 1));
  }
  return section;
}

std::string Find(const Section& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string() : found->second;
}

/// What both files say of a profile; of what both say, the file of credentials counts.
class Profile {
 public:
  static base::Result<Profile> Read(const Surroundings& around) {
    Profile profile;
    const std::string named = around.variable("AWS_PROFILE");
    profile.name_ = named.empty() ? "default" : named;
    const std::string home = around.variable("HOME");
    const auto path = [&](const char* variable, const char* standard) {
      const std::string given = around.variable(variable);
      return given.empty() ? home + "/.aws/" + standard : given;
    };
    bool found = false;
    const auto take = [&](const std::string& file, const std::string& section) {
      const auto text = around.file(file);
      const auto read = text ? ReadSection(*text, section) : std::nullopt;
      if (!read) return;
      found = true;
      for (const auto& [key, value] : *read) profile.values_[key] = value;
    };
    const auto config = path("AWS_CONFIG_FILE", "config");
    const auto credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    take(config, profile.name_ == "default" ? "default" : "profile " + profile.name_);
    take(credentials, profile.name_);
    if (!found && !named.empty()) {
      return Bad(fmt::format("AWS_PROFILE names {:?}, which is in neither {} nor {}", named, config, credentials));
    }
    return profile;
  }

  const std::string& name() const { return name_; }
  std::string operator[](std::string_view key) const { return Find(values_, key); }

 private:
  std::string name_;
  Section values_;
};

std::string FirstOf(std::initializer_list<std::string> values) {
  for (const auto& value : values) {
    if (!value.empty()) return value;
  }
  return {};
}

base::Result<Login> Fixed(Credentials credentials, std::string told) {
  if (credentials.secret.empty() || credentials.id.empty()) {
    return base::Fail(
        base::Code::kPermissionDenied, "storage.credentials",
        fmt::format("the credentials {} are half: there is {}", told,
                    credentials.id.empty() ? "a secret key and no key id" : "a key id and no secret key"));
  }
  return Login{.kind = Login::Kind::kFixed, .told = std::move(told), .fixed = std::move(credentials)};
}

/// Those of a container's agent, else the machine's.
base::Result<Login> Surrounding(const Surroundings& around) {
  Login login{.kind = Login::Kind::kContainer, .told = "of the container"};
  login.token_file = around.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  login.token = around.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto path = around.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty()) {
    login.url = "http://169.254.170.2" + path;
    return login;
  }
  login.url = around.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!login.url.empty()) return login;
  if (around.variable("AWS_EC2_METADATA_DISABLED") == "true") {
    return base::Fail(
        base::Code::kPermissionDenied, "storage.credentials",
        "there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
  }
  return Login{.kind = Login::Kind::kInstance,
               .told = "of the machine",
               .url = FirstOf({around.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "http://169.254.169.254"})};
}

base::Result<Login> ChooseLogin(const Surroundings& around, const Profile& profile, const std::string& region) {
  Credentials given{.id = around.variable("AWS_ACCESS_KEY_ID"),
                    .secret = around.variable("AWS_SECRET_ACCESS_KEY"),
                    .token = around.variable("AWS_SESSION_TOKEN")};
  if (!given.id.empty() || !given.secret.empty()) return Fixed(std::move(given), "from the environment");
  const auto token_file = FirstOf({around.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), profile["web_identity_token_file"]});
  const auto role = FirstOf({around.variable("AWS_ROLE_ARN"), profile["role_arn"]});
  if (!token_file.empty() && !role.empty()) {
    return Login{
        .kind = Login::Kind::kWebIdentity,
        .told = fmt::format("of the role {}", role),
        .fixed = {},
        .url = FirstOf({around.variable("AWS_ENDPOINT_URL_STS"), around.variable("AWS_ENDPOINT_URL"),
                        fmt::format("https://sts.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "")}),
        .role = role,
        .token_file = token_file};
  }
  Credentials kept{.id = profile["aws_access_key_id"],
                   .secret = profile["aws_secret_access_key"],
                   .token = profile["aws_session_token"]};
  if (!kept.id.empty() || !kept.secret.empty())
    return Fixed(std::move(kept), fmt::format("of the profile {:?}", profile.name()));
  for (const char* key : {"sso_session", "sso_start_url", "credential_process", "role_arn"}) {
    if (profile[key].empty()) continue;
    return base::Fail(
        base::Code::kPermissionDenied, "storage.credentials",
        fmt::format("the profile {:?} gets its credentials by {}, which is not done here; set them by: eval "
                    "$(aws configure export-credentials --profile {} --format env)",
                    profile.name(), key, profile.name()));
  }
  return Surrounding(around);
}

/// Splits an address of a server that is no Amazon's.
base::Result<void> TakeEndpoint(std::string url, Config& config) {
  while (url.ends_with('/')) url.pop_back();
  const auto scheme = url.find("://");
  const auto host = scheme == std::string::npos ? scheme : scheme + 3;
  const auto name = scheme == std::string::npos ? std::string() : url.substr(0, scheme);
  if ((name != "http" && name != "https") || host >= url.size() ||
      url.find_first_of("@?# \t\r\n") != std::string::npos) {
    return Bad(fmt::format(
        "AWS_ENDPOINT_URL must be an address such as https://minio.example.com:9000, without a login in it, "
        "not {:?}",
        base::Shorten(url.substr(std::min(url.size(), url.rfind('@') + 1)), 200)));
  }
  const auto slash = url.find('/', host);
  config.origin = url.substr(0, slash);
  config.path = slash == std::string::npos ? "" : url.substr(slash);
  config.buckets_are_hosts = false;
  return {};
}

}  // namespace

Surroundings Surroundings::System() {
  return {.variable =
              [](const char* name) {
                const char* value = std::getenv(name);
                return value == nullptr ? std::string() : std::string(value);
              },
          .file = [](const std::string& path) -> std::optional<std::string> {
            auto text = base::ReadFile(path, kMostFileBytes);
            return text ? std::optional(*std::move(text)) : std::nullopt;
          }};
}

base::Result<Config> ReadConfig(const Surroundings& around) {
  Config config;
  SLIPWAY_ASSIGN(const auto profile, Profile::Read(around));
  config.region =
      FirstOf({around.variable("AWS_REGION"), around.variable("AWS_DEFAULT_REGION"), profile["region"], config.region});
  config.ca_file = FirstOf({around.variable("AWS_CA_BUNDLE"), profile["ca_bundle"]});
  config.origin =
      fmt::format("https://s3.{}.amazonaws.com{}", config.region, config.region.starts_with("cn-") ? ".cn" : "");
  const auto endpoint =
      FirstOf({around.variable("AWS_ENDPOINT_URL_S3"), around.variable("AWS_ENDPOINT_URL"), profile["endpoint_url"]});
  if (!endpoint.empty()) SLIPWAY_TRY(TakeEndpoint(endpoint, config));
  SLIPWAY_ASSIGN(config.login, ChooseLogin(around, profile, config.region));
  if (const auto text = FirstOf({around.variable("AWS_MAX_ATTEMPTS"), profile["max_attempts"]}); !text.empty()) {
    const auto attempts = base::ParseInt64(text);
    if (!attempts || *attempts < 1 || *attempts > kMostAttempts) {
      return Bad(
          fmt::format("AWS_MAX_ATTEMPTS is a number from 1 to {}, not {:?}", kMostAttempts, base::Shorten(text)));
    }
    config.attempts = static_cast<int>(*attempts);
  }
  if (const auto text = around.variable("SLIPWAY_S3_TIMEOUT"); !text.empty()) {
    const auto patience = base::ParseDuration(text);
    if (!patience || *patience < std::chrono::milliseconds(1)) {
      return Bad(fmt::format("SLIPWAY_S3_TIMEOUT is a time such as 30s, not {:?}", base::Shorten(text)));
    }
    config.patience = std::chrono::duration_cast<std::chrono::milliseconds>(*patience);
  }
  return config;
}

}  // namespace slipway::storage::s3
