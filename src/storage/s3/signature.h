#pragma once
// Signature Version 4 (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html): proves who sends
// a request, and that it came as it was sent. Of our own, since libcurl before 8.1 signs query parameters in the order
// in which they stand, and paths other than S3 reads them.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::storage::s3 {

struct Credentials {
  std::string id, secret;
  std::string token;  ///< of credentials that end; empty for others
};

using Query = std::vector<std::pair<std::string, std::string>>;

/// SHA-256 as 64 hexadecimal digits.
std::string Sha256Digits(std::string_view bytes);

/// In the order that is signed, encoded: what stands in the url as well.
std::string CanonicalQuery(const Query& query);

struct SigningTarget {
  std::string_view method;
  std::string_view path;   ///< encoded
  std::string_view query;  ///< canonical
  std::map<std::string, std::string>
      headers;                   ///< all that are signed: lower case, trimmed; host and x-amz-date among them
  std::string_view body_digest;  ///< Sha256Digits of the body
};

/// The value of the header Authorization. `time`: "20130524T000000Z", as in x-amz-date.
std::string Authorization(const SigningTarget& target, const Credentials& credentials, std::string_view region,
                          std::string_view time);

}  // namespace slipway::storage::s3
