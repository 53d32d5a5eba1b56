// The HTTP server behind TLS, seen by OpenSSL's own client.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/http_server.h"
#include "net/tls/tls_client_test.h"

namespace slipway::net::tls {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

std::string Post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

class TlsServerTest : public testing::Test {
 protected:
  void SetUp() override { server_pair_ = authority_.Issue("server.pem"); }

  void Start(Options tls = {}, HttpServerOptions options = {}) {
    if (tls.certificate.empty()) tls.certificate = server_pair_.path;
    auto loaded = Credentials::Load(
        {.options = std::move(tls), .metrics = &metrics_, .log = log_.get(), .check_interval = check_interval_});
    ASSERT_TRUE(loaded) << loaded.error().Text();
    credentials_ = std::move(*loaded);
    RouteTable routes;
    const auto add = [&](Method method, std::string pattern, Handler handler) {
      ASSERT_TRUE(routes.Add(
          {.method = method, .pattern = std::move(pattern), .permission = "public", .handler = std::move(handler)}));
    };
    add(Method::kPost, "/echo", [](const Request& request, Response& response) { response.body = request.body; });
    add(Method::kGet, "/hello", [](const Request&, Response& response) { response.body = "\"hello\""; });
    add(Method::kGet, "/whoami", [](const Request& request, Response& response) {
      const PeerIdentity* peer = request.peer_identity;
      if (peer == nullptr) return;
      response.body = peer->subject + "|" + peer->common_name;
      for (const auto& name : peer->alternative_names) response.body += "|" + name;
    });
    if (options.threads == 0) options.threads = 1;
    options.listeners.push_back(
        {.address = "127.0.0.1:0", .routes = std::move(routes), .credentials = credentials_.get()});
    options.metrics = &metrics_;
    options.log = log_.get();
    auto started = HttpServer::Start(std::move(options));
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  TlsClient Connect(TlsClientOptions options = {}) {
    options.root = &authority_.root();
    return TlsClient(server_->port(), options);
  }
  std::string MetricsText() const {
    std::string text;
    metrics_.WriteText(text);
    return text;
  }
  std::string LogText() {
    log_->Flush();
    return base::ReadFile(folder_.path() / "log").value();
  }
  static std::string Outcome(std::string_view outcome, int count) {
    return "slipway_tls_handshakes_total{outcome=\"" + std::string(outcome) + "\"} " + std::to_string(count) + "\n";
  }
  Options MutualTls() const { return {.certificate = server_pair_.path, .client_ca = authority_.path()}; }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
  Authority authority_{folder_.path()};
  Issued server_pair_;
  milliseconds check_interval_{0};
  telemetry::MetricRegistry metrics_;
  std::unique_ptr<telemetry::Log> log_ = telemetry::Log::Open({.path = (folder_.path() / "log").string()}).value();
  std::unique_ptr<Credentials> credentials_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsServerTest, AnswersOnAKeptConnectionOverBothVersions) {
  Start();
  auto newest = Connect();
  EXPECT_STREQ(SSL_get_version(newest.ssl()), "TLSv1.3");
  EXPECT_EQ(newest.Ask(kHello).body, "\"hello\"");
  EXPECT_EQ(newest.Ask(Post("/echo", "abc")).body, "abc");
  auto older = Connect({.version = TLS1_2_VERSION});
  EXPECT_STREQ(SSL_get_version(older.ssl()), "TLSv1.2");
  EXPECT_EQ(older.Ask(Post("/echo", "abc")).body, "abc");
  EXPECT_EQ(older.Ask(kHello).body, "\"hello\"");
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("full", 2)));
}

TEST_F(TlsServerTest, RefusesOldVersionsAndCiphersWithoutForwardSecrecyOrAead) {
  Start();
  EXPECT_FALSE(Connect({.version = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(Connect({.version = TLS1_VERSION}).connected());
  for (const char* cipher : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256"}) {
    EXPECT_FALSE(Connect({.version = TLS1_2_VERSION, .ciphers12 = cipher}).connected()) << cipher;
  }
  EXPECT_TRUE(Connect({.version = TLS1_2_VERSION, .ciphers12 = "ECDHE-ECDSA-CHACHA20-POLY1305"}).connected());
  server_->Stop();
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("version", 2)));
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("cipher", 3)));
  EXPECT_THAT(LogText(), HasSubstr("\"reason\":\"cipher\""));
}

TEST_F(TlsServerTest, SpeaksHttp11AndRefusesAClientThatOnlySpeaksHttp2) {
  Start();
  auto both = Connect({.protocols = "\x02h2\x08http/1.1"});
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(both.ssl(), &chosen, &size);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  EXPECT_EQ(both.Ask(kHello).status, 200);
  const auto only = Connect({.protocols = "\x02h2"});
  EXPECT_FALSE(only.connected());
  EXPECT_THAT(only.error(), HasSubstr("no application protocol"));
}

TEST_F(TlsServerTest, LargeBodiesPassBothWays) {
  Start();
  auto client = Connect({.receive_buffer = 16 << 10});
  std::string body(8 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>('a' + i % 26);
  client.Send(Post("/echo", body));
  std::this_thread::sleep_for(milliseconds(50));  // the server's answer fills what the client has not read
  EXPECT_TRUE(client.Read().body == body);
  EXPECT_EQ(client.Ask(Post("/echo", "after")).body, "after");
}

TEST_F(TlsServerTest, PipelinedRequestsBehindALargeAnswerAreNotForgotten) {
  Start();
  auto client = Connect({.receive_buffer = 16 << 10});
  const std::string body(6 << 20, 'y');
  client.Send(Post("/echo", body));
  // These arrive while the large answer waits to be taken: some end up in OpenSSL's buffer, where no socket tells of
  // them.
  for (int i = 0; i < 40; ++i) client.Send(Post("/echo", std::to_string(i)));
  EXPECT_EQ(client.Read().body.size(), body.size());
  for (int i = 0; i < 40; ++i) EXPECT_EQ(client.Read().body, std::to_string(i));
}

TEST_F(TlsServerTest, ARequestMayComeByteByByteInRecordsOfItsOwn) {
  Start();
  auto client = Connect();
  for (const char c : Post("/echo", "slow") + Post("/echo", "again")) client.Send({&c, 1});
  EXPECT_EQ(client.Read().body, "slow");
  EXPECT_EQ(client.Read().body, "again");
}

TEST_F(TlsServerTest, ManyRecordsInOneTurnAreAllRead) {
  Start();
  auto client = Connect();
  std::string all;
  for (int i = 0; i < 2000; ++i) all += Post("/echo", std::to_string(i));
  std::jthread sender([&] {
    for (size_t at = 0; at < all.size(); at += 100) client.Send(std::string_view(all).substr(at, 100));
  });
  sender.join();
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.Read().body, std::to_string(i));
}

TEST_F(TlsServerTest, TheEndIsSaidInOrder) {
  Start();
  auto client = Connect();
  EXPECT_EQ(client.Ask("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status, 200);
  EXPECT_TRUE(client.IsClosedInOrder());
  auto leaving = Connect();
  EXPECT_EQ(leaving.Ask(kHello).status, 200);
  SSL_shutdown(leaving.ssl());
  EXPECT_TRUE(leaving.IsClosedInOrder());
}

TEST_F(TlsServerTest, KeyUpdatesAreFollowedAndRenegotiationIsNot) {
  Start();
  auto client = Connect();
  EXPECT_EQ(client.Ask(kHello).status, 200);
  SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
  EXPECT_EQ(client.Ask(kHello).status, 200);
  auto older = Connect({.version = TLS1_2_VERSION});
  EXPECT_EQ(older.Ask(kHello).status, 200);
  SSL_renegotiate(older.ssl());
  SSL_do_handshake(older.ssl());
  EXPECT_EQ(older.Ask(kHello).status, 0);
}

TEST_F(TlsServerTest, AFloodOfKeyUpdatesDoesNotHoldOthersUp) {
  Start();
  auto flooding = Connect();
  auto other = Connect();
  ASSERT_EQ(flooding.Ask(kHello).status, 200);
  std::atomic<bool> done = false;
  std::jthread flood([&] {
    while (!done && SSL_key_update(flooding.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
           SSL_do_handshake(flooding.ssl()) == 1) {
    }
  });
  int answered = 0;
  for (int i = 0; i < 200; ++i) answered += other.Ask(kHello).status == 200 ? 1 : 0;
  done = true;
  EXPECT_EQ(answered, 200);
}

TEST_F(TlsServerTest, PlainHttpOnATlsPortGetsAReadable400) {
  Start();
  RawClient client(server_->port());
  const auto answer = client.Ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("this port speaks https"));
  EXPECT_TRUE(client.IsClosed());
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("plain_http", 1)));
}

TEST_F(TlsServerTest, GarbageEndsTheConnection) {
  Start();
  RawClient client(server_->port());
  client.Send(std::string("\x16\x03\x01\x00\x05hello", 10));
  char alert[64];
  EXPECT_EQ(::recv(client.descriptor(), alert, sizeof alert, 0), 7);
  EXPECT_TRUE(client.IsClosed());
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("malformed", 1)));
}

TEST_F(TlsServerTest, ASlowHandshakeIsCutAtTheHeaderDeadline) {
  HttpServerOptions options;
  options.conduct.limits.header_deadline = milliseconds(50);
  Start({}, std::move(options));
  RawClient silent(server_->port());
  RawClient slow(server_->port());
  slow.Send("\x16\x03");
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(slow.IsClosed());
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("timeout", 2)));
}

TEST_F(TlsServerTest, WhenHandshakesCrowdTheOneThatWaitedLongestGivesWay) {
  HttpServerOptions options;
  options.conduct.limits.handshakes = 2;
  Start({}, std::move(options));
  auto standing = Connect();
  RawClient first(server_->port()), second(server_->port());
  EXPECT_EQ(standing.Ask(kHello).status, 200);
  auto honest = Connect();
  EXPECT_EQ(honest.Ask(kHello).status, 200);
  EXPECT_TRUE(first.IsClosed());
  EXPECT_EQ(standing.Ask(kHello).status, 200);
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("crowded", 1)));
  EXPECT_THAT(MetricsText(), HasSubstr("slipway_tls_handshakes_under_way 1\n"));
}

TEST_F(TlsServerTest, SessionsResumeOnAnyThreadAndAcrossAReload) {
  HttpServerOptions options;
  options.threads = 3;
  Start({}, std::move(options));
  auto first = Connect();
  EXPECT_EQ(first.Ask(kHello).status, 200);  // reads the ticket too
  const Session session(first.session(), &SSL_SESSION_free);
  int resumed = 0;
  for (int i = 0; i < 12; ++i) resumed += Connect({.session = session.get()}).resumed() ? 1 : 0;
  EXPECT_EQ(resumed, 12);
  ASSERT_TRUE(credentials_->Reload());
  EXPECT_TRUE(Connect({.session = session.get()}).resumed());
  auto older = Connect({.version = TLS1_2_VERSION});
  const Session ticket(older.session(), &SSL_SESSION_free);
  EXPECT_TRUE(Connect({.version = TLS1_2_VERSION, .session = ticket.get()}).resumed());
}

TEST_F(TlsServerTest, StopFinishesWhatWasAccepted) {
  Start();
  auto begun = Connect();
  begun.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(begun.Read().status, 100);
  auto idle = Connect();
  ASSERT_EQ(idle.Ask(kHello).status, 200);
  RawClient shaking(server_->port());
  std::jthread stopper([&] { server_->Stop(); });
  EXPECT_TRUE(idle.IsClosedInOrder());
  EXPECT_TRUE(shaking.IsClosed());
  const auto answer = begun.Ask("abc");
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(answer.Header("Connection"), "close");
  stopper.join();
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(TlsServerTest, TheFirstRequestOfAConnectionOpenedJustBeforeStopIsNotLost) {
  Start();
  auto fresh = Connect();
  auto kept = Connect();
  ASSERT_EQ(kept.Ask(kHello).status, 200);
  std::jthread stopper([&] { server_->Stop(); });
  ASSERT_TRUE(kept.IsClosedInOrder());
  const auto answer = fresh.Ask(kHello);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Connection"), "close");
}

TEST_F(TlsServerTest, AVerifiedClientIsKnownByItsNames) {
  Start(MutualTls());
  const auto batch = authority_.Issue(
      "batch.pem", {.common_name = "batch", .alternative_names = "URI:spiffe://example/batch,DNS:b.example,IP:::1"});
  auto client = Connect({.certificate = &batch});
  const std::string expected = "CN=batch|batch|URI:spiffe://example/batch|DNS:b.example|IP:0:0:0:0:0:0:0:1";
  EXPECT_EQ(client.Ask("GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n").body, expected);
  const Session session(client.session(), &SSL_SESSION_free);
  auto again = Connect({.certificate = &batch, .session = session.get()});
  EXPECT_TRUE(again.resumed());
  EXPECT_EQ(again.Ask("GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n").body, expected);
}

TEST_F(TlsServerTest, ClientsThatCannotProveWhoTheyAreAreRefusedWithTheReason) {
  Start(MutualTls());
  const Authority stranger(folder_.path(), "stranger");
  const auto expired = authority_.Issue("e.pem", {.common_name = "old", .valid_from = -7200, .valid_until = -3600});
  const auto early = authority_.Issue("n.pem", {.common_name = "young", .valid_from = 1800});
  const auto wrong = stranger.Issue("w.pem", {.common_name = "wrong"});
  EXPECT_EQ(Connect().Ask(kHello).status, 0);
  EXPECT_EQ(Connect({.certificate = &expired}).Ask(kHello).status, 0);
  EXPECT_EQ(Connect({.certificate = &early}).Ask(kHello).status, 0);
  EXPECT_EQ(Connect({.certificate = &wrong}).Ask(kHello).status, 0);
  EXPECT_FALSE(Connect({.certificate = &wrong, .version = TLS1_2_VERSION}).connected());
  server_->Stop();
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("client_certificate_missing", 1)));
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("client_certificate_expired", 1)));
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("client_certificate_not_yet_valid", 1)));
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("client_certificate_untrusted", 2)));
  EXPECT_THAT(LogText(), HasSubstr("\"certificate\":\"CN=old\""));
  EXPECT_THAT(LogText(), HasSubstr("\"reason\":\"client_certificate_untrusted\""));
}

TEST_F(TlsServerTest, WhereCertificatesAreOptionalNoneIsFineButAWrongOneIsNot) {
  auto tls = MutualTls();
  tls.client_auth = ClientAuth::kOptional;
  Start(tls);
  EXPECT_EQ(Connect().Ask("GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n").body, "");
  const auto wrong = Authority(folder_.path(), "stranger").Issue("w.pem");
  EXPECT_EQ(Connect({.certificate = &wrong}).Ask(kHello).status, 0);
}

TEST_F(TlsServerTest, ASessionFromBeforeAChangeOfTheClientCaLetsNobodyIn) {
  Start(MutualTls());
  const auto batch = authority_.Issue("batch.pem", {.common_name = "batch"});
  auto client = Connect({.certificate = &batch});
  ASSERT_EQ(client.Ask(kHello).status, 200);
  const Session session(client.session(), &SSL_SESSION_free);
  const Authority other(folder_.path(), "other");
  std::filesystem::copy_file(other.path(), authority_.path(), std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(credentials_->Reload());
  EXPECT_EQ(Connect({.certificate = &batch, .session = session.get()}).Ask(kHello).status, 0);
  EXPECT_EQ(client.Ask(kHello).status, 200);  // what stands, stands
}

TEST_F(TlsServerTest, LogsOnlySoManyFailuresASecond) {
  Start();
  for (int i = 0; i < 40; ++i) Connect({.version = TLS1_1_VERSION});
  server_->Stop();
  const std::string log = LogText();
  int lines = 0;
  for (size_t at = 0; (at = log.find("tls.handshake_failed", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GE(lines, 5);
  EXPECT_LE(lines, 20);
  EXPECT_THAT(MetricsText(), HasSubstr(Outcome("version", 40)));
}

TEST_F(TlsServerTest, ManyClientsOnSeveralThreadsWhileTheCertificateChanges) {
  HttpServerOptions options;
  options.threads = 2;
  Start({}, std::move(options));
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> clients;
    for (int c = 0; c < 4; ++c) {
      clients.emplace_back([&] {
        for (int i = 0; i < 25; ++i) {
          auto client = Connect();
          right += client.Ask(Post("/echo", "1")).body == "1" && client.Ask(kHello).status == 200 ? 1 : 0;
        }
      });
    }
    for (int i = 0; i < 10; ++i) {
      authority_.Issue("server.pem");
      EXPECT_TRUE(credentials_->Reload());
    }
  }
  EXPECT_EQ(right, 100);
}

}  // namespace
}  // namespace slipway::net::tls
