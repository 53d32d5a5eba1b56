#include "telemetry/otlp/curl_sender.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/file_descriptor.h"

namespace slipway::telemetry::otlp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Outcome = SpanSender::Outcome;

/// A collector that gives one answer to each request, or none at all.
class Collector {
 public:
  explicit Collector(std::string answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (!answer_.empty()) {
      thread_ = std::jthread([this](const std::stop_token& stop) { Serve(stop); });
    }
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1/traces"; }
  std::string request() {
    const std::lock_guard lock(mutex_);
    return request_;
  }

 private:
  static bool Readable(int socket) {
    pollfd waited{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, 20) > 0;
  }
  void Serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!Readable(listener_.get())) continue;
      const base::FileDescriptor peer(::accept(listener_.get(), nullptr, nullptr));
      std::string request;
      std::string buffer(4096, '\0');
      while (!stop.stop_requested() && !request.ends_with("}")) {
        if (!Readable(peer.get())) continue;
        const ssize_t got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        request.append(buffer, 0, static_cast<size_t>(got));
      }
      {
        const std::lock_guard lock(mutex_);
        request_ = request;
      }
      static_cast<void>(base::WriteAll(peer.get(), answer_));
    }
  }

  const std::string answer_;
  base::FileDescriptor listener_;
  uint16_t port_ = 0;
  std::mutex mutex_;  ///< guards request_
  std::string request_;
  std::jthread thread_;
};

std::string AnswerOf(const std::string& status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::unique_ptr<SpanSender> SenderTo(const std::string& url) {
  Options options;
  options.url = url;
  options.headers = {{"x-tenant", "a"}};
  options.program_version = "7.8.9";
  auto sender = MakeCurlSender(options);
  EXPECT_TRUE(sender) << sender.error().Text();
  return sender ? std::move(*sender) : nullptr;
}

SpanSender::Answer SendTo(const std::string& url) {
  const auto end = base::Clock::System().Now() + seconds(5);
  return SenderTo(url)->Send(R"({"resourceSpans":[]})", [end] { return base::Clock::System().Now() >= end; });
}

TEST(CurlSender, PostsJsonWithTheHeadersAskedFor) {
  Collector collector(AnswerOf("200 OK", "{}"));
  EXPECT_EQ(SendTo(collector.url()).outcome, Outcome::kDelivered);
  const std::string request = collector.request();
  EXPECT_THAT(request, testing::StartsWith("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nx-tenant: a\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nUser-Agent: slipway/7.8.9\r\n"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{\"resourceSpans\":[]}"));
}

TEST(CurlSender, APartialSuccessTellsWhatWasRejected) {
  Collector collector(AnswerOf("200 OK", R"({"partialSuccess":{"rejectedSpans":"7","errorMessage":"full"}})"));
  const auto answer = SendTo(collector.url());
  EXPECT_EQ(answer.outcome, Outcome::kDelivered);
  EXPECT_EQ(answer.rejected_spans, 7);
}

TEST(CurlSender, AskedToComeBackLaterItSaysWhen) {
  Collector collector(AnswerOf("503 Service Unavailable", "", "Retry-After: 17\r\n"));
  const auto answer = SendTo(collector.url());
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.retry_after, seconds(17));
  EXPECT_THAT(answer.text, HasSubstr("503"));
}

TEST(CurlSender, OtherStatusesAreForGood) {
  Collector collector(AnswerOf("400 Bad Request", "no such field"));
  const auto answer = SendTo(collector.url());
  EXPECT_EQ(answer.outcome, Outcome::kRefused);
  EXPECT_THAT(answer.text, HasSubstr("400: no such field"));
}

TEST(CurlSender, ARedirectIsNotFollowed) {
  Collector collector(AnswerOf("307 Temporary Redirect", "", "Location: http://127.0.0.1:1/\r\n"));
  EXPECT_EQ(SendTo(collector.url()).outcome, Outcome::kRefused);
}

TEST(CurlSender, NobodyThereIsARetry) {
  std::string url;
  {
    url = Collector("").url();
  }
  const auto answer = SendTo(url);
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_THAT(answer.text, testing::Not(testing::IsEmpty()));
}

TEST(CurlSender, AnAttemptThatHangsIsGivenUpWhenAsked) {
  Collector silent("");
  const auto sender = SenderTo(silent.url());
  const auto before = base::Clock::System().Now();
  const auto answer = sender->Send("{}", [before] { return base::Clock::System().Now() - before > milliseconds(200); });
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.text, "no answer in time");
  EXPECT_LT(base::Clock::System().Now() - before, seconds(2));
}

}  // namespace
}  // namespace slipway::telemetry::otlp
