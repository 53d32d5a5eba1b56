#include "telemetry/otlp/curl_sender.h"

// The checks of arguments are macros over the functions, which are called through pointers here.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "base/library.h"
#include "base/text.h"
#include "base/value.h"

namespace slipway::telemetry::otlp {
namespace {

constexpr size_t kAnswerBytes = 64 << 10;  ///< read of an answer at most
constexpr int kPollMilliseconds = 50;

/// The functions of libcurl that are called.
struct Library {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&::curl_multi_perform) multi_perform = nullptr;
  decltype(&::curl_multi_poll) multi_poll = nullptr;
  decltype(&::curl_multi_info_read) multi_info_read = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;

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
  find("curl_easy_getinfo", easy_getinfo);
  find("curl_easy_cleanup", easy_cleanup);
  find("curl_easy_strerror", easy_strerror);
  find("curl_slist_append", slist_append);
  find("curl_slist_free_all", slist_free_all);
  find("curl_multi_init", multi_init);
  find("curl_multi_add_handle", multi_add_handle);
  find("curl_multi_remove_handle", multi_remove_handle);
  find("curl_multi_perform", multi_perform);
  find("curl_multi_poll", multi_poll);
  find("curl_multi_info_read", multi_info_read);
  find("curl_multi_cleanup", multi_cleanup);
  if (missing == nullptr && global_init(CURL_GLOBAL_ALL) == CURLE_OK) return {};
  return base::Fail(base::Code::kUnavailable, "library.unfit",
                    fmt::format("{} cannot be used: {}; libcurl 7.66 or later is wanted", shared.path(),
                                missing == nullptr ? "it does not start" : fmt::format("it has no {}", missing)));
}

class CurlSender final : public SpanSender {
 public:
  CurlSender(const Library& curl, const Options& options)
      : curl_(curl), options_(options), easy_(curl.easy_init()), multi_(curl.multi_init()) {}
  CurlSender(const CurlSender&) = delete;
  CurlSender& operator=(const CurlSender&) = delete;
  ~CurlSender() override {
    curl_.easy_cleanup(easy_);
    curl_.multi_cleanup(multi_);
    curl_.slist_free_all(headers_);
  }

  base::Result<void> SetUp();
  Answer Send(std::string_view body, const std::function<bool()>& give_up) override;

 private:
  template <typename T>
  bool Set(CURLoption option, T value) {
    return curl_.easy_setopt(easy_, option, value) == CURLE_OK;
  }
  static size_t TakeAnswer(const char* bytes, size_t one, size_t count, void* self);
  CURLcode Transfer(const std::function<bool()>& give_up);
  Answer Judge();

  const Library& curl_;
  const Options options_;
  CURL* easy_;
  CURLM* multi_;
  curl_slist* headers_ = nullptr;
  std::string answer_;
};

base::Result<void> CurlSender::SetUp() {
  headers_ = curl_.slist_append(headers_, "Content-Type: application/json");
  headers_ = curl_.slist_append(headers_, "Expect:");
  for (const auto& [name, value] : options_.headers) {
    headers_ = curl_.slist_append(headers_, fmt::format("{}: {}", name, value).c_str());
  }
  const std::string agent = "slipway/" + options_.program_version;
  const bool fine = easy_ != nullptr && multi_ != nullptr && Set(CURLOPT_URL, options_.url.c_str()) &&
                    Set(CURLOPT_POST, 1L) && Set(CURLOPT_HTTPHEADER, headers_) && Set(CURLOPT_NOSIGNAL, 1L) &&
                    Set(CURLOPT_USERAGENT, agent.c_str()) && Set(CURLOPT_WRITEFUNCTION, &TakeAnswer) &&
                    Set(CURLOPT_WRITEDATA, static_cast<void*>(this)) &&
                    (options_.ca_file.empty() || Set(CURLOPT_CAINFO, options_.ca_file.c_str()));
  // A name that does not resolve must not hold up the end of the program; libraries before 7.87 do not know this.
  static_cast<void>(Set(CURLOPT_QUICK_EXIT, 1L));
  if (fine) return {};
  return base::Fail(base::Code::kInvalidArgument, "otlp.endpoint",
                    fmt::format("libcurl cannot send to {:?}", options_.url));
}

size_t CurlSender::TakeAnswer(const char* bytes, size_t one, size_t count, void* self) {
  std::string& answer = static_cast<CurlSender*>(self)->answer_;
  answer.append(bytes, std::min(one * count, kAnswerBytes - std::min(answer.size(), kAnswerBytes)));
  return one * count;
}

/// CURLE_ABORTED_BY_CALLBACK when it was given up.
CURLcode CurlSender::Transfer(const std::function<bool()>& give_up) {
  if (curl_.multi_add_handle(multi_, easy_) != CURLM_OK) return CURLE_FAILED_INIT;
  CURLcode result = CURLE_ABORTED_BY_CALLBACK;
  for (int running = 1; running > 0;) {
    if (curl_.multi_perform(multi_, &running) != CURLM_OK) break;
    if (running > 0) {
      if (give_up()) break;
      curl_.multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
    }
  }
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_.multi_remove_handle(multi_, easy_);
  return result;
}

SpanSender::Answer CurlSender::Send(std::string_view body, const std::function<bool()>& give_up) {
  answer_.clear();
  Set(CURLOPT_POSTFIELDS, body.data());
  Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  const CURLcode result = Transfer(give_up);
  if (result == CURLE_OK) return Judge();
  Answer answer;
  answer.text = result == CURLE_ABORTED_BY_CALLBACK ? "no answer in time" : curl_.easy_strerror(result);
  return answer;
}

/// OTLP's rules: 2xx is delivered, if only in part; of the others four may be tried again.
SpanSender::Answer CurlSender::Judge() {
  long status = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  Answer answer;
  if (status >= 200 && status < 300) {
    answer.outcome = Outcome::kDelivered;
    const auto told = base::ParseJson(answer_, {.bytes = kAnswerBytes, .depth = 8, .values = 64});
    const base::Value* partial = told ? told->Find("partialSuccess") : nullptr;
    const base::Value* rejected = partial == nullptr ? nullptr : partial->Find("rejectedSpans");
    if (rejected != nullptr && rejected->is_integer()) answer.rejected_spans = rejected->integer();
    if (rejected != nullptr && rejected->is_string()) {
      answer.rejected_spans = base::ParseInt64(rejected->string()).value_or(0);
    }
    return answer;
  }
  const bool again = status == 429 || status == 502 || status == 503 || status == 504;
  answer.outcome = again ? Outcome::kRetry : Outcome::kRefused;
  answer.text = fmt::format("answered {}: {}", status, base::Shorten(answer_, 200));
  curl_off_t seconds = 0;
  if (again && curl_.easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
    answer.retry_after = std::chrono::seconds(std::min<curl_off_t>(seconds, 86'400));
  }
  return answer;
}

}  // namespace

base::Result<std::unique_ptr<SpanSender>> MakeCurlSender(const Options& options) {
  SLIPWAY_ASSIGN(const Library* library, Library::Get());
  auto sender = std::make_unique<CurlSender>(*library, options);
  SLIPWAY_TRY(sender->SetUp());
  return sender;
}

}  // namespace slipway::telemetry::otlp
