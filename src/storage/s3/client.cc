#include "storage/s3/client.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include "base/ids.h"
#include "base/text.h"
#include "storage/s3/xml.h"

namespace slipway::storage::s3 {
namespace {

using base::Code;

constexpr std::chrono::milliseconds kLongestWait{10'000};
constexpr std::chrono::milliseconds kLongestAskedWait{60'000};
/// Servers put large objects together before they answer.
constexpr int kCompletePatience = 10;
constexpr const char* kMarkHeader = "x-amz-meta-upload-mark";

std::string TimeText(std::chrono::system_clock::time_point now) {
  const time_t seconds = std::chrono::system_clock::to_time_t(now);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

bool IsPassing(const base::Error& error) {
  return error.reason == "storage.unreachable";
}

bool IsFine(const HttpAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

/// Whether it brings a range; some servers say so by the header alone, with status 200.
bool IsPart(const HttpAnswer& answer) {
  return answer.status == 206 || (answer.status == 200 && answer.headers.contains("content-range"));
}

/// "bytes 0-1023/4096", or "bytes */4096" for a range behind the end.
struct ContentRange {
  int64_t first = -1, total = -1;
};

ContentRange ReadContentRange(std::string_view text) {
  ContentRange range;
  if (!text.starts_with("bytes ")) return range;
  text.remove_prefix(6);
  range.first = base::ParseInt64(text.substr(0, text.find('-'))).value_or(-1);
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) range.total = base::ParseInt64(text.substr(slash + 1)).value_or(-1);
  return range;
}

}  // namespace

Client::Client(Config config, std::unique_ptr<HttpClient> http)
    : config_(std::move(config)), http_(std::move(http)), login_(config_.login, config_.region, *http_) {}

base::Result<std::unique_ptr<Client>> Client::Create(Config config) {
  SLIPWAY_ASSIGN(auto http, HttpClient::Create(config.ca_file, "slipway"));
  return std::unique_ptr<Client>(new Client(std::move(config), std::move(http)));
}

base::Result<void> Client::Send(const Request& request, HttpAnswer& answer) {
  SLIPWAY_ASSIGN(const auto credentials, login_.Get());
  const auto scheme = config_.origin.find("://") + 3;
  std::string host = config_.origin.substr(scheme);
  std::string path = config_.path;
  // A certificate for *.s3.… holds for one name below it.
  if (config_.buckets_are_hosts && request.url.bucket.find('.') == std::string::npos) {
    host = request.url.bucket + "." + host;
  } else {
    path += "/" + request.url.bucket;
  }
  path += "/" + base::EncodePercent(request.url.key, true);
  const auto query = CanonicalQuery(request.query);
  const auto time = TimeText(std::chrono::system_clock::now());
  const auto digest = Sha256Digits(request.body);
  SigningTarget target{
      .method = request.method, .path = path, .query = query, .headers = request.headers, .body_digest = digest};
  target.headers["host"] = host;
  target.headers["x-amz-date"] = time;
  target.headers["x-amz-content-sha256"] = digest;
  if (!credentials.token.empty()) target.headers["x-amz-security-token"] = credentials.token;
  HttpRequest sent{
      .method = request.method,
      .url = fmt::format("{}{}{}{}{}", config_.origin.substr(0, scheme), host, path, query.empty() ? "" : "?", query),
      .headers = target.headers,
      .body = request.body,
      .most_bytes = request.most_bytes,
      .patience = request.patience.count() > 0 ? request.patience : config_.patience,
      .stop = request.stop};
  sent.headers["authorization"] = Authorization(target, credentials, config_.region, time);
  auto done = http_->Send(sent, answer);
  if (done) return {};
  auto error = std::move(done).error();
  error.message = fmt::format("cannot {} at {}: {}", request.doing, config_.origin, error.message);
  error.where = request.url.Text();
  return std::unexpected(std::move(error));
}

base::Error Client::ErrorOf(const Request& request, const HttpAnswer& answer) const {
  return ToError(answer.status, ReadFault(answer.body), answer.Header("x-amz-bucket-region"),
                 {.doing = request.doing,
                  .bucket = request.url.bucket,
                  .key = request.url.key,
                  .endpoint = config_.origin,
                  .region = config_.region,
                  .login = login_.told()});
}

/// Sleeps before another attempt; false when that would be one too many, or nobody waits for it.
bool Client::Wait(int attempt, const HttpAnswer& answer, std::stop_token stop) const {
  if (attempt + 1 >= config_.attempts) return false;
  auto wait = std::min(kLongestWait, config_.first_wait * (int64_t{1} << std::min(attempt, 16)));
  // Many that were refused at the same time must not all come back at the same time.
  wait = wait / 2 + std::chrono::milliseconds(
                        static_cast<int64_t>(base::RandomBits() % (static_cast<uint64_t>(wait.count()) / 2 + 1)));
  if (const auto seconds = base::ParseInt64(answer.Header("retry-after")); seconds && *seconds > 0) {
    wait = std::max(wait, std::min(kLongestAskedWait,
                                   std::chrono::milliseconds(std::chrono::seconds(std::min<int64_t>(*seconds, 3600)))));
  }
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, wait, [] { return false; });
  return !stop.stop_requested();
}

base::Result<HttpAnswer> Client::Ask(const Request& request) {
  for (int attempt = 0;; ++attempt) {
    HttpAnswer answer;
    const auto sent = Send(request, answer);
    if (!sent && !IsPassing(sent.error())) return std::unexpected(sent.error());
    if (sent && (IsFine(answer) || !MayPass(answer.status, ReadFault(answer.body)))) return answer;
    if (Wait(attempt, answer, request.stop)) continue;
    auto error = sent ? ErrorOf(request, answer) : sent.error();
    error.message += fmt::format(" ({} attempts)", attempt + 1);
    return std::unexpected(std::move(error));
  }
}

base::Result<HttpAnswer> Client::Expect(const Request& request) {
  SLIPWAY_ASSIGN(auto answer, Ask(request));
  if (!IsFine(answer)) return std::unexpected(ErrorOf(request, answer));
  return answer;
}

base::Result<ObjectInfo> Client::Head(const ObjectUrl& url) {
  SLIPWAY_ASSIGN(const auto answer, Ask({.method = "HEAD", .url = url, .doing = "read"}));
  if (!IsFine(answer)) {  // such an answer has no body that says why
    SLIPWAY_ASSIGN(auto range, Get(url, 0, 1, "", {}));
    return std::move(range.object);
  }
  const auto size = base::ParseInt64(answer.Header("content-length"));
  if (!size)
    return base::Fail(Code::kDataLoss, "storage.answer", "the answer does not say how long the object is", url.Text());
  return ObjectInfo{.key = url.key,
                    .size = *size,
                    .tag = ReadTag(answer.Header("etag")),
                    .modified = ReadTime(answer.Header("last-modified"))};
}

/// Takes over what an answer brought, if it is what was asked for.
base::Result<void> Client::TakeRange(const HttpAnswer& answer, int64_t offset, Range& range) const {
  const auto wrong = [](std::string_view what) {
    return base::Fail(Code::kDataLoss, "storage.answer",
                      fmt::format("the server does not answer with the range that was asked for: {}", what));
  };
  auto& object = range.object;
  const auto stored = ReadContentRange(answer.Header("content-range"));
  const bool part = IsPart(answer);
  if (part && (stored.first != offset || stored.total < 0)) return wrong("it is another");
  if (!part && offset > 0) return wrong("it sends the whole object");
  const auto tag = ReadTag(answer.Header("etag"));
  const int64_t size = part ? stored.total : static_cast<int64_t>(answer.body.size());
  if ((!object.tag.empty() && tag != object.tag) || (!range.bytes.empty() && size != object.size)) {
    return base::Fail(Code::kFailedPrecondition, "storage.changed", "the object was replaced while it was read");
  }
  object.tag = tag;
  object.size = size;
  object.modified = ReadTime(answer.Header("last-modified"));
  range.bytes += answer.body;
  return {};
}

base::Result<Range> Client::Get(const ObjectUrl& url, int64_t offset, int64_t length, const std::string& tag,
                                std::stop_token stop) {
  Range range{.bytes = {}, .object = {.key = url.key, .tag = tag}};
  const auto in_object = [&](base::Error error) {
    error.where = url.Text();
    return std::unexpected(std::move(error));
  };
  for (int attempt = 0;; ++attempt) {
    const auto from = offset + static_cast<int64_t>(range.bytes.size());
    Request request{.method = "GET", .url = url, .doing = "read", .stop = stop};
    request.headers["range"] = fmt::format("bytes={}-{}", from, offset + length - 1);
    if (!range.object.tag.empty()) request.headers["if-match"] = fmt::format("\"{}\"", range.object.tag);
    request.most_bytes = std::max<size_t>(size_t{1} << 16, static_cast<size_t>(offset + length - from));
    HttpAnswer answer;
    const auto sent = Send(request, answer);
    if (!sent && !IsPassing(sent.error())) return in_object(sent.error());
    if (answer.status == 416) {
      range.object.size = std::max<int64_t>(0, ReadContentRange(answer.Header("content-range")).total);
      return range;
    }
    const bool brings = IsFine(answer) && (sent || IsPart(answer));
    if (brings) {
      if (auto taken = TakeRange(answer, from, range); !taken) return in_object(std::move(taken).error());
      const auto end = std::min(length, range.object.size - offset);
      if (static_cast<int64_t>(range.bytes.size()) >= end) return range;
      if (!answer.body.empty()) attempt = 0;
    } else if (sent && !MayPass(answer.status, ReadFault(answer.body))) {
      return std::unexpected(ErrorOf(request, answer));
    }
    if (Wait(attempt, answer, stop)) continue;
    auto error = !sent    ? sent.error()
                 : brings ? base::Error{Code::kUnavailable, "storage.unreachable", "answers end too early", {}}
                          : ErrorOf(request, answer);
    error.message += fmt::format(" ({} attempts)", attempt + 1);
    return in_object(std::move(error));
  }
}

base::Result<void> Client::List(const ObjectUrl& prefix, int most, Listing& listing) {
  Request request{.method = "GET", .url = {.bucket = prefix.bucket}, .doing = "list"};
  request.query = {
      {"list-type", "2"}, {"prefix", prefix.key}, {"max-keys", std::to_string(most)}, {"encoding-type", "url"}};
  if (!listing.next.empty()) request.query.emplace_back("continuation-token", listing.next);
  SLIPWAY_ASSIGN(const auto answer, Expect(request));
  auto read = ReadListing(answer.body, listing);
  if (!read) read.error().where = prefix.Text();
  return read;
}

base::Result<void> Client::Put(const ObjectUrl& url, std::string_view bytes) {
  Request request{.method = "PUT", .url = url, .body = bytes, .doing = "write"};
  request.headers["content-type"] = "application/octet-stream";
  SLIPWAY_TRY(Expect(request));
  return {};
}

base::Result<void> Client::Delete(const ObjectUrl& url) {
  const Request request{.method = "DELETE", .url = url, .doing = "remove"};
  SLIPWAY_ASSIGN(const auto answer, Ask(request));
  const bool gone = answer.status == 404 && ReadFault(answer.body).code != "NoSuchBucket";
  return IsFine(answer) || gone ? base::Result<void>() : std::unexpected(ErrorOf(request, answer));
}

base::Result<std::string> Client::BeginUpload(const ObjectUrl& url, const std::string& mark) {
  Request request{.method = "POST", .url = url, .query = {{"uploads", ""}}, .doing = "write"};
  request.headers = {{"content-type", "application/octet-stream"}, {kMarkHeader, mark}};
  SLIPWAY_ASSIGN(const auto answer, Expect(request));
  auto id = ReadUploadId(answer.body);
  if (!id) id.error().where = url.Text();
  return id;
}

base::Result<UploadedPart> Client::UploadPart(const ObjectUrl& url, const std::string& id, int number,
                                              std::string_view bytes, std::stop_token stop) {
  Request request{.method = "PUT", .url = url, .body = bytes, .doing = "write", .stop = stop};
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", id}};
  request.headers["content-type"] = "application/octet-stream";
  SLIPWAY_ASSIGN(const auto answer, Expect(request));
  return UploadedPart{.number = number, .tag = answer.Header("etag")};
}

base::Result<bool> Client::HasMark(const ObjectUrl& url, const std::string& mark) {
  SLIPWAY_ASSIGN(const auto answer, Ask({.method = "HEAD", .url = url, .doing = "read"}));
  return IsFine(answer) && answer.Header(kMarkHeader) == mark;
}

base::Result<void> Client::CompleteUpload(const ObjectUrl& url, const std::string& id,
                                          const std::vector<UploadedPart>& parts, const std::string& mark) {
  std::string body = "<CompleteMultipartUpload>";
  for (const auto& part : parts) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", part.number, EscapeXml(part.tag));
  }
  body += "</CompleteMultipartUpload>";
  Request request{.method = "POST", .url = url, .query = {{"uploadId", id}}, .body = body, .doing = "write"};
  request.headers["content-type"] = "application/xml";
  request.patience = config_.patience * kCompletePatience;
  for (int attempt = 0;; ++attempt) {
    const auto answer = Ask(request);
    // A server that works on it begins to answer before it knows how it ends: a fault may come with status 200.
    const auto fault = answer ? ReadFault(answer->body) : Fault{};
    if (answer && IsFine(*answer) && fault.code.empty()) return {};
    // An attempt whose answer was lost may have been the one that did it.
    if (HasMark(url, mark).value_or(false)) return {};
    if (!answer) return std::unexpected(answer.error());
    if (IsFine(*answer) && MayPass(200, fault) && Wait(attempt, *answer, {})) continue;
    auto failed = *answer;
    if (IsFine(failed)) failed.status = 500;
    return std::unexpected(ErrorOf(request, failed));
  }
}

base::Result<void> Client::AbortUpload(const ObjectUrl& url, const std::string& id) {
  const Request request{.method = "DELETE", .url = url, .query = {{"uploadId", id}}, .doing = "write"};
  SLIPWAY_ASSIGN(const auto answer, Ask(request));
  return IsFine(answer) || answer.status == 404 ? base::Result<void>() : std::unexpected(ErrorOf(request, answer));
}

base::Result<void> Client::ListUploads(const ObjectUrl& prefix, Uploads& uploads) {
  Request request{.method = "GET", .url = {.bucket = prefix.bucket}, .doing = "list"};
  request.query = {{"uploads", ""}, {"prefix", prefix.key}, {"encoding-type", "url"}};
  if (!uploads.next_key.empty()) {
    request.query.emplace_back("key-marker", uploads.next_key);
    request.query.emplace_back("upload-id-marker", uploads.next_id);
  }
  SLIPWAY_ASSIGN(const auto answer, Ask(request));
  if (answer.status == 404 &&
      ReadFault(answer.body).code == "NoSuchUpload") {  // how some servers say that there are none
    uploads.next_key = uploads.next_id = "";
    return {};
  }
  if (!IsFine(answer)) return std::unexpected(ErrorOf(request, answer));
  return ReadUploads(answer.body, uploads);
}

}  // namespace slipway::storage::s3
