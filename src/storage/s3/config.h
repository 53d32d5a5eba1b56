#pragma once
// Where S3 is and who asks, by the environment and files that Amazon's own tools read.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "storage/s3/signature.h"

namespace slipway::storage::s3 {

/// Where credentials come from.
struct Login {
  enum class Kind : uint8_t {
    kFixed,
    kWebIdentity,  ///< a role that a token in a file lets one take (Kubernetes service accounts)
    kContainer,    ///< an agent beside the container (ECS, EKS Pod Identity)
    kInstance,     ///< the machine's metadata service (EC2)
  };
  Kind kind = Kind::kFixed;
  std::string told;  ///< for messages: "from the environment"
  Credentials fixed;
  std::string url;         ///< of what gives them, but for kFixed
  std::string role;        ///< of kWebIdentity
  std::string token_file;  ///< of kWebIdentity, kContainer
  std::string token;       ///< of kContainer, when there is no file
};

struct Config {
  std::string origin = "https://s3.us-east-1.amazonaws.com";  ///< scheme, host and port
  std::string path;                                           ///< before all keys: "" or "/storage/s3"
  bool buckets_are_hosts = true;  ///< as at Amazon: https://BUCKET.s3.…; else https://…/BUCKET/
  std::string region = "us-east-1";
  std::string ca_file;
  Login login;
  int attempts = 8;  ///< of a request, at most
  std::chrono::milliseconds patience{30'000};
  std::chrono::milliseconds first_wait{100};  ///< between attempts; twice as long each time
};

/// What is read of the process' surroundings; tests give others.
struct Surroundings {
  std::function<std::string(const char* name)> variable;                    ///< empty: not set
  std::function<std::optional<std::string>(const std::string& path)> file;  ///< nullopt: not there
  static Surroundings System();
};

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION, AWS_DEFAULT_REGION,
/// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, AWS_MAX_ATTEMPTS, ~/.aws/config and ~/.aws/credentials (or
/// AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE), those of containers and instances, and SLIPWAY_S3_TIMEOUT. Errors:
/// invalid_argument "storage.config"; permission_denied "storage.credentials" when half of them is missing.
base::Result<Config> ReadConfig(const Surroundings& surroundings);

}  // namespace slipway::storage::s3
