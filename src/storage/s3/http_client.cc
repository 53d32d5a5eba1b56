#include "storage/s3/http_client.h"

// The checks of arguments are macros over the functions, which are called through pointers here.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <type_traits>
#include <utility>

#include "base/library.h"
#include "base/text.h"

namespace slipway::storage::s3 {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kConnectPatience{10'000};
/// Less than this in the time of patience is nothing to speak of.
constexpr curl_off_t kLeastBytes = 4096;
constexpr size_t kMostHeaderBytes = size_t{1} << 16;
constexpr size_t kIdleConnections = 8;

/// The functions of libcurl that are called.
struct Library {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;

  /// Opens it at the first call.
  static base::Result<const Library*> Get();

 private:
  base::Result<void> Load();
};

base::Result<const Library*> Library::Get() {
  static Library library;
  static const base::Result<void> loaded = library.Load();
  SLIPWAY_TRY(base::Result<void>(loaded));
  return &library;
}

base::Result<void> Library::Load() {
  SLIPWAY_ASSIGN(const auto shared, base::SharedLibrary::Open("curl", "SLIPWAY_CURL", "4"));
  const char* missing = nullptr;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(shared.Symbol(name));
    if (function == nullptr) missing = name;
  };
  find("curl_global_init", global_init);
  find("curl_easy_init", easy_init);
  find("curl_easy_setopt", easy_setopt);
  find("curl_easy_perform", easy_perform);
  find("curl_easy_getinfo", easy_getinfo);
  find("curl_easy_reset", easy_reset);
  find("curl_easy_cleanup", easy_cleanup);
  find("curl_easy_strerror", easy_strerror);
  find("curl_slist_append", slist_append);
  find("curl_slist_free_all", slist_free_all);
  if (missing == nullptr && global_init(CURL_GLOBAL_ALL) == CURLE_OK) return {};
  return base::Fail(base::Code::kUnavailable, "library.unfit",
                    fmt::format("{} cannot be used: {}; libcurl 7.66 or later is wanted", shared.path(),
                                missing == nullptr ? "it does not start" : fmt::format("it has no {}", missing)));
}

/// One request on one connection.
class Exchange {
 public:
  Exchange(const Library& curl, CURL* easy, const HttpRequest& request, HttpAnswer& answer)
      : curl_(curl), easy_(easy), request_(request), answer_(answer) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() { curl_.slist_free_all(headers_); }

  base::Result<void> Run(const std::string& ca_file, const std::string& agent) {
    if (!SetUp(ca_file, agent)) {
      return base::Fail(base::Code::kInternal, "storage.request",
                        fmt::format("libcurl does not take {}", request_.url));
    }
    window_begun_ = SteadyClock::now();
    const CURLcode result = curl_.easy_perform(easy_);
    long status = 0;  // NOLINT(google-runtime-int): libcurl's type
    curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    answer_.status = static_cast<int>(status);
    return result == CURLE_OK ? base::Result<void>() : Judge(result);
  }

 private:
  template <typename T>
  bool Set(CURLoption option, T value) {
    return curl_.easy_setopt(easy_, option, value) == CURLE_OK;
  }

  bool SetUp(const std::string& ca_file, const std::string& agent) {
    for (const auto& [name, value] : request_.headers) {
      headers_ = curl_.slist_append(headers_, fmt::format("{}: {}", name, value).c_str());
    }
    headers_ = curl_.slist_append(headers_, "Expect:");
    headers_ = curl_.slist_append(headers_, "Accept:");
    const auto connect = std::min(kConnectPatience, request_.patience).count();
    bool fine = Set(CURLOPT_URL, request_.url.c_str()) && Set(CURLOPT_PATH_AS_IS, 1L) && Set(CURLOPT_NOSIGNAL, 1L) &&
                Set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1}) && Set(CURLOPT_HTTPHEADER, headers_) &&
                Set(CURLOPT_USERAGENT, agent.c_str()) && Set(CURLOPT_ERRORBUFFER, words_.data()) &&
                Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect)) &&  // NOLINT(google-runtime-int)
                Set(CURLOPT_WRITEFUNCTION, &TakeBody) && Set(CURLOPT_WRITEDATA, static_cast<void*>(this)) &&
                Set(CURLOPT_HEADERFUNCTION, &TakeHeader) && Set(CURLOPT_HEADERDATA, static_cast<void*>(this)) &&
                Set(CURLOPT_XFERINFOFUNCTION, &Watch) && Set(CURLOPT_XFERINFODATA, static_cast<void*>(this)) &&
                Set(CURLOPT_NOPROGRESS, 0L) && Set(CURLOPT_BUFFERSIZE, 256L << 10) &&
                (ca_file.empty() || Set(CURLOPT_CAINFO, ca_file.c_str()));
    if (request_.method == "HEAD") return fine && Set(CURLOPT_NOBODY, 1L);
    if (request_.method == "PUT" || request_.method == "POST") {
      // Without a pointer libcurl would ask for the body by a callback.
      const char* body = request_.body.empty() ? "" : request_.body.data();
      fine = fine && Set(CURLOPT_POSTFIELDS, body) && Set(CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10) &&
             Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    }
    return fine && Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }

  static size_t TakeBody(const char* bytes, size_t one, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (exchange.answer_.body.size() + one * count > exchange.request_.most_bytes) {
      exchange.too_long_ = true;
      return 0;
    }
    exchange.answer_.body.append(bytes, one * count);
    return one * count;
  }

  static size_t TakeHeader(const char* bytes, size_t one, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::string_view line(bytes, one * count);
    exchange.header_bytes_ += line.size();
    if (exchange.header_bytes_ > kMostHeaderBytes) {
      exchange.too_long_ = true;
      return 0;
    }
    if (line.starts_with("HTTP/")) exchange.answer_.headers.clear();  // an interim answer, or a proxy's, came before
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    exchange.answer_.headers[std::move(name)] = base::Trim(line.substr(colon + 1));
    return line.size();
  }

  /// Ends a transfer that nobody waits for any more, or that does not move.
  static int Watch(void* self, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (exchange.request_.stop.stop_requested()) return 1;
    const auto now = SteadyClock::now();
    if (now - exchange.window_begun_ < exchange.request_.patience) return 0;
    exchange.stalled_ = down + up - exchange.window_bytes_ < kLeastBytes;
    exchange.window_begun_ = now;
    exchange.window_bytes_ = down + up;
    return exchange.stalled_ ? 1 : 0;
  }

  base::Result<void> Judge(CURLcode result) {
    const auto words = base::Shorten(words_[0] != '\0' ? words_.data() : curl_.easy_strerror(result), 300);
    if (stalled_) {
      return base::Fail(
          base::Code::kUnavailable, "storage.unreachable",
          fmt::format("nothing came or went for {} s", static_cast<double>(request_.patience.count()) / 1000));
    }
    if (result == CURLE_ABORTED_BY_CALLBACK)
      return base::Fail(base::Code::kCancelled, "storage.given_up", "it was given up");
    if (too_long_) {
      return base::Fail(base::Code::kDataLoss, "storage.answer",
                        fmt::format("the answer is longer than the {} bytes that it may have", request_.most_bytes));
    }
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE) {
      return base::Fail(
          base::Code::kPermissionDenied, "storage.tls",
          fmt::format("the server's certificate does not hold: {}; name the file of its authority in AWS_CA_BUNDLE",
                      words));
    }
    return base::Fail(base::Code::kUnavailable, "storage.unreachable", words);
  }

  const Library& curl_;
  CURL* easy_;
  const HttpRequest& request_;
  HttpAnswer& answer_;
  curl_slist* headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> words_{};
  size_t header_bytes_ = 0;
  bool too_long_ = false, stalled_ = false;
  SteadyClock::time_point window_begun_;
  curl_off_t window_bytes_ = 0;
};

class CurlClient final : public HttpClient {
 public:
  CurlClient(const Library& curl, std::string ca_file, std::string agent)
      : curl_(curl), ca_file_(std::move(ca_file)), agent_(std::move(agent)) {}
  ~CurlClient() override {
    for (CURL* easy : idle_) curl_.easy_cleanup(easy);
  }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  base::Result<void> Send(const HttpRequest& request, HttpAnswer& answer) override {
    answer = {};
    CURL* easy = Take();
    if (easy == nullptr)
      return base::Fail(base::Code::kUnavailable, "storage.unreachable", "libcurl gives no connection");
    const auto done = Exchange(curl_, easy, request, answer).Run(ca_file_, agent_);
    GiveBack(easy);
    return done;
  }

 private:
  CURL* Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        CURL* easy = idle_.back();
        idle_.pop_back();
        return easy;
      }
    }
    return curl_.easy_init();
  }

  void GiveBack(CURL* easy) {
    curl_.easy_reset(easy);  // keeps its connection
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleConnections) return idle_.push_back(easy);
    curl_.easy_cleanup(easy);
  }

  const Library& curl_;
  const std::string ca_file_, agent_;
  std::mutex mutex_;
  std::vector<CURL*> idle_;  ///< guarded by mutex_
};

}  // namespace

base::Result<std::unique_ptr<HttpClient>> HttpClient::Create(std::string ca_file, std::string agent) {
  SLIPWAY_ASSIGN(const Library* library, Library::Get());
  return std::make_unique<CurlClient>(*library, std::move(ca_file), std::move(agent));
}

}  // namespace slipway::storage::s3
