#include "storage/s3/signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway::storage::s3 {
namespace {

constexpr std::string_view kService = "s3";

std::string Digits(std::string_view bytes) {
  std::string digits;
  digits.reserve(bytes.size() * 2);
  for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return digits;
}

std::string Hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), &length);
  return {reinterpret_cast<const char*>(out.data()), length};
}

}  // namespace

std::string Sha256Digits(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, EVP_sha256(), nullptr);
  return Digits({reinterpret_cast<const char*>(out.data()), length});
}

std::string CanonicalQuery(const Query& query) {
  Query encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(base::EncodePercent(name), base::EncodePercent(value));
  std::ranges::sort(encoded);
  std::string text;
  for (const auto& [name, value] : encoded) text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  return text;
}

std::string Authorization(const SigningTarget& target, const Credentials& credentials, std::string_view region,
                          std::string_view time) {
  std::string headers, names;
  for (const auto& [name, value] : target.headers) {
    headers += fmt::format("{}:{}\n", name, value);
    names += fmt::format("{}{}", names.empty() ? "" : ";", name);
  }
  const auto canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", target.method, target.path, target.query, headers, names,
                                     target.body_digest);
  const auto day = time.substr(0, 8);
  const auto scope = fmt::format("{}/{}/{}/aws4_request", day, region, kService);
  const auto text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, Sha256Digits(canonical));
  const auto day_key = Hmac("AWS4" + credentials.secret, day);
  const auto key = Hmac(Hmac(Hmac(day_key, region), kService), "aws4_request");
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}", credentials.id, scope, names,
                     Digits(Hmac(key, text)));
}

}  // namespace slipway::storage::s3
