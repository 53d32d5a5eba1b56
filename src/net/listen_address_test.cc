#include "net/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "base/files.h"
#include "net/http_server.h"
#include "net/raw_client_test.h"

namespace slipway::net {
namespace {

using testing::HasSubstr;

TEST(ListenAddressTest, ReadsAllForms) {
  EXPECT_EQ(std::get<TcpAddress>(ListenAddress::Parse("[::1]:80")->where).port, 80);
  const auto plain = std::get<UnixAddress>(ListenAddress::Parse("unix:/run/a.sock")->where);
  EXPECT_EQ(plain.path, "/run/a.sock");
  EXPECT_EQ(plain.mode, 0660u);
  const auto open = std::get<UnixAddress>(ListenAddress::Parse("unix:a,b.sock,mode=0666")->where);
  EXPECT_EQ(open.path, "a,b.sock");
  EXPECT_EQ(open.mode, 0666u);
  EXPECT_EQ(std::get<InheritedAddress>(ListenAddress::Parse("systemd:web")->where).name, "web");
}

TEST(ListenAddressTest, RefusesWhatCannotBeListenedOn) {
  for (const char* text : {"unix:", "unix:/a,mode=9", "unix:/a,mode=01777", "unix:/a,mode=", "8080", "x:y"}) {
    const auto address = ListenAddress::Parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().reason, "net.address") << text;
  }
  EXPECT_THAT(ListenAddress::Parse("unix:/" + std::string(200, 'a')).error().message, HasSubstr("longer than 107"));
}

TEST(ListenAddressTest, KnowsWhatOnlyThisMachineReaches) {
  for (const char* text : {"127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "localhost:1", "unix:/a"}) {
    EXPECT_TRUE(ListenAddress::Parse(text)->IsLocal()) << text;
  }
  for (const char* text : {"0.0.0.0:1", ":1", "[::]:1", "10.0.0.1:1", "127.evil.example:1", "systemd:"}) {
    EXPECT_FALSE(ListenAddress::Parse(text)->IsLocal()) << text;
  }
}

class UnixServerTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<HttpServer>> Start(const std::string& address, int threads = 1) {
    RouteTable routes;
    EXPECT_TRUE(routes.Add({.method = Method::kGet,
                            .pattern = "/thread",
                            .permission = "public",
                            .handler = [](const Request& request, Response& response) {
                              response.body = std::to_string(request.thread) + std::string(request.remote_address);
                            }}));
    HttpServerOptions options;
    options.threads = threads;
    options.listeners.push_back({.address = address, .routes = std::move(routes)});
    return HttpServer::Start(std::move(options));
  }
  std::string Address() const { return "unix:" + path_; }
  void LeaveStaleSocket() const {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  static constexpr std::string_view kAsk = "GET /thread HTTP/1.1\r\nHost: x\r\n\r\n";
  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
  std::string path_ = (folder_.path() / "s.sock").string();
};

TEST_F(UnixServerTest, AnswersOnAllThreadsAndRemovesItsFile) {
  auto server = Start(Address(), 3).value();
  EXPECT_EQ(server->address(), Address());
  EXPECT_EQ(server->port(), 0);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  std::set<std::string> threads;
  for (int i = 0; i < 6; ++i) threads.insert(RawClient(path_).Ask(kAsk).body);
  EXPECT_EQ(threads, (std::set<std::string>{"0unix", "1unix", "2unix"}));
  server->Stop();
  EXPECT_NE(::stat(path_.c_str(), &status), 0);
}

TEST_F(UnixServerTest, TheModeIsAsAsked) {
  const auto server = Start(Address() + ",mode=0600").value();
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(UnixServerTest, TakesThePlaceOfADeadProcessButNotOfALiveOne) {
  LeaveStaleSocket();
  const auto server = Start(Address()).value();
  const auto second = Start(Address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, "net.address_in_use");
  EXPECT_EQ(RawClient(path_).Ask(kAsk).status, 200);
}

TEST_F(UnixServerTest, LeavesAFileThatIsNoSocketAlone) {
  ASSERT_TRUE(base::WriteFileAtomically(path_, "precious"));
  EXPECT_EQ(Start(Address()).error().reason, "net.address");
  EXPECT_EQ(base::ReadFile(path_).value(), "precious");
}

TEST_F(UnixServerTest, DoesNotRemoveTheSocketOfItsSuccessor) {
  auto first = Start(Address()).value();
  std::filesystem::remove(path_);
  const auto second = Start(Address()).value();
  first->Stop();
  EXPECT_EQ(RawClient(path_).Ask(kAsk).status, 200);
}

TEST_F(UnixServerTest, SaysWhatIsMissingWhenSystemdHandsNothingOver) {
  ::unsetenv("LISTEN_PID");
  const auto server = Start("systemd:web");
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().reason, "net.no_inherited_socket");
  EXPECT_THAT(server.error().message, HasSubstr("systemd:web"));
}

}  // namespace
}  // namespace slipway::net
