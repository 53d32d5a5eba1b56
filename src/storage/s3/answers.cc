#include "storage/s3/answers.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "storage/s3/xml.h"

namespace slipway::storage::s3 {
namespace {

using base::Code;

constexpr size_t kShownMessage = 300;

/// The path behind the outermost element, whose name servers do not agree on.
std::string_view Inside(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
}

/// A url, where it was asked for in that form, because XML cannot hold every key.
void Unescape(std::string& key) {
  if (auto plain = base::DecodePercent(key, true)) key = *std::move(plain);
}

template <size_t N>
bool IsOneOf(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::ranges::find(codes, code) != codes.end();
}

base::Error Missing(const Fault& fault, const Asked& asked) {
  const auto& code = fault.code;
  if (code == "NoSuchBucket") {
    return {Code::kNotFound,
            "storage.no_bucket",
            fmt::format("there is no bucket {:?} at {}; check its name, and AWS_ENDPOINT_URL", asked.bucket,
                        asked.endpoint),
            {}};
  }
  if (code == "NoSuchUpload") {
    return {
        Code::kUnavailable,
        "storage.upload_lost",
        "an upload was thrown away before it was finished, by a rule of the bucket or another process; run it again",
        {}};
  }
  // A code of the server's own may mean something else that is not there.
  const std::string told =
      code.empty() || code == "NoSuchKey"
          ? ""
          : fmt::format(" (the server says: {} {})", base::Shorten(code), base::Shorten(fault.message, kShownMessage));
  return {Code::kNotFound,
          "storage.missing",
          fmt::format("there is no object {:?} in the bucket{}; check the key (the name of a folder ends in /)",
                      asked.key, told),
          {}};
}

/// What may be wrong when the server knows who asks, or does not.
base::Error Refused(const Fault& fault, const Asked& asked) {
  static constexpr std::array<std::string_view, 4> kUnknown = {"InvalidAccessKeyId", "InvalidToken", "ExpiredToken",
                                                               "TokenRefreshRequired"};
  if (fault.code == "RequestTimeTooSkewed") {
    return {
        Code::kPermissionDenied,
        "storage.clock",
        fmt::format("the server refuses requests of this machine because its clock is wrong{}; set it right (NTP)",
                    fault.server_time.empty() ? "" : fmt::format(", there it is {}", base::Shorten(fault.server_time))),
        {}};
  }
  if (fault.code == "SignatureDoesNotMatch") {
    return {
        Code::kPermissionDenied,
        "storage.credentials",
        fmt::format("the server does not accept the signature: check the secret key ({}), and that no proxy changes "
                    "requests on the way",
                    asked.login),
        {}};
  }
  if (IsOneOf(fault.code, kUnknown)) {
    return {Code::kPermissionDenied,
            "storage.credentials",
            fmt::format("the server does not accept the credentials ({}): {} {}", asked.login, fault.code,
                        base::Shorten(fault.message, kShownMessage)),
            {}};
  }
  return {
      Code::kPermissionDenied,
      "storage.denied",
      fmt::format("the server forbids to {} it ({}): give the user of these credentials ({}) the right, or take others",
                  asked.doing, fault.code.empty() ? "403" : base::Shorten(fault.code), asked.login),
      {}};
}

}  // namespace

base::Result<void> ReadListing(std::string_view xml, Listing& listing) {
  ObjectInfo object;
  const size_t before = listing.objects.size();
  bool truncated = false, escaped = false;
  listing.next.clear();
  SLIPWAY_TRY(ReadXml(xml, [&](std::string_view path, std::string_view text) {
    const auto inside = Inside(path);
    if (inside == "Contents/Key") object.key = text;
    if (inside == "Contents/Size") object.size = base::ParseInt64(text).value_or(-1);
    if (inside == "Contents/ETag") object.tag = ReadTag(text);
    if (inside == "Contents/LastModified") object.modified = ReadTime(std::string(text));
    if (inside == "Contents") listing.objects.push_back(std::exchange(object, {}));
    if (inside == "IsTruncated") truncated = text == "true";
    if (inside == "NextContinuationToken") listing.next = text;
    if (inside == "EncodingType") escaped = text == "url";
  }));
  for (size_t i = before; i < listing.objects.size(); ++i) {
    auto& listed = listing.objects[i];
    if (escaped) Unescape(listed.key);
    if (listed.key.empty() || listed.size < 0) {
      return base::Fail(Code::kDataLoss, "storage.answer", "the answer lists an object without a key or a size");
    }
  }
  if (!truncated) listing.next.clear();
  if (truncated && listing.next.empty()) {
    return base::Fail(Code::kDataLoss, "storage.answer",
                      "the answer lists a part of the objects and does not say how to go on");
  }
  return {};
}

base::Result<void> ReadUploads(std::string_view xml, Uploads& uploads) {
  Uploads::Upload upload;
  const size_t before = uploads.uploads.size();
  bool truncated = false, escaped = false;
  SLIPWAY_TRY(ReadXml(xml, [&](std::string_view path, std::string_view text) {
    const auto inside = Inside(path);
    if (inside == "Upload/Key") upload.key = text;
    if (inside == "Upload/UploadId") upload.id = text;
    if (inside == "Upload") uploads.uploads.push_back(std::exchange(upload, {}));
    if (inside == "IsTruncated") truncated = text == "true";
    if (inside == "NextKeyMarker") uploads.next_key = text;
    if (inside == "NextUploadIdMarker") uploads.next_id = text;
    if (inside == "EncodingType") escaped = text == "url";
  }));
  if (!truncated) uploads.next_key = uploads.next_id = "";
  if (!escaped) return {};
  Unescape(uploads.next_key);
  for (size_t i = before; i < uploads.uploads.size(); ++i) Unescape(uploads.uploads[i].key);
  return {};
}

base::Result<std::string> ReadUploadId(std::string_view xml) {
  std::string id;
  SLIPWAY_TRY(ReadXml(xml, [&](std::string_view path, std::string_view text) {
    if (Inside(path) == "UploadId") id = text;
  }));
  if (id.empty()) return base::Fail(Code::kDataLoss, "storage.answer", "the answer names no upload");
  return id;
}

Fault ReadFault(std::string_view xml) {
  Fault fault;
  const auto read = ReadXml(xml, [&](std::string_view path, std::string_view text) {
    if (path == "Error/Code") fault.code = text;
    if (path == "Error/Message") fault.message = text;
    if (path == "Error/Region") fault.region = text;
    if (path == "Error/ServerTime") fault.server_time = text;
  });
  return read ? fault : Fault{};
}

bool MayPass(int status, const Fault& fault) {
  static constexpr std::array<std::string_view, 8> kCodes = {
      "SlowDown",   "InternalError",    "RequestTimeout",      "ServiceUnavailable",
      "Throttling", "OperationAborted", "ThrottlingException", "RequestLimitExceeded"};
  return (status >= 500 && status != 501 && status != 505) || status == 429 || status == 408 ||
         IsOneOf(fault.code, kCodes);
}

base::Error ToError(int status, Fault fault, std::string_view region, const Asked& asked) {
  static constexpr std::array<std::string_view, 4> kElsewhere = {
      "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"};
  // Some servers give these with another status than Amazon's.
  static constexpr std::array<std::string_view, 6> kNoLogin = {"ExpiredToken",         "InvalidToken",
                                                               "InvalidAccessKeyId",   "SignatureDoesNotMatch",
                                                               "RequestTimeTooSkewed", "AccessDenied"};
  if (!fault.region.empty()) region = fault.region;
  base::Error error;
  if (status == 401 || status == 403 || IsOneOf(fault.code, kNoLogin)) {
    error = Refused(fault, asked);
  } else if (status == 404) {
    error = Missing(fault, asked);
  } else if ((status >= 300 && status < 400) || IsOneOf(fault.code, kElsewhere)) {
    const auto where = region.empty() || region == asked.region ? std::string("elsewhere")
                                                                : fmt::format("in {}", base::Shorten(region));
    error = {Code::kUnavailable,
             "storage.region",
             fmt::format("the bucket is {}, and was asked for in {} at {}; set AWS_REGION{}", where, asked.region,
                         asked.endpoint,
                         region.empty() || region == asked.region ? " and AWS_ENDPOINT_URL"
                                                                  : fmt::format("={}", base::Shorten(region))),
             {}};
  } else if (status == 412) {
    error = {Code::kFailedPrecondition, "storage.changed", "the object was replaced while it was read", {}};
  } else {
    error = {MayPass(status, fault) ? Code::kUnavailable : Code::kDataLoss,
             MayPass(status, fault) ? "storage.busy" : "storage.answer",
             fmt::format("{} answers {} {} {}", asked.endpoint, status, base::Shorten(fault.code),
                         base::Shorten(fault.message, kShownMessage)),
             {}};
  }
  error.where = ObjectUrl{.bucket = std::string(asked.bucket), .key = std::string(asked.key)}.Text();
  return error;
}

std::string ReadTag(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

int64_t ReadTime(const std::string& text) {
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT"}) {
    tm parts{};
    if (strptime(text.c_str(), form, &parts) != nullptr) return timegm(&parts);
  }
  return 0;
}

}  // namespace slipway::storage::s3
