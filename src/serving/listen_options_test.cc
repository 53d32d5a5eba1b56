#include "serving/listen_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::serving {
namespace {

using testing::HasSubstr;

std::string Reason(const ListenOptions& options) {
  const auto checked = options.Check();
  return checked ? "" : checked.error().reason;
}

TEST(ListenOptionsTest, AnAdminListenerThatOthersReachMustBeAskedForOrAskForCertificates) {
  EXPECT_EQ(Reason({.admin = "127.0.0.1:1"}), "");
  EXPECT_EQ(Reason({.admin = "unix:/run/a.sock"}), "");
  EXPECT_EQ(Reason({.admin = "0.0.0.0:1"}), "serve.admin_public");
  EXPECT_EQ(Reason({.admin = ":1"}), "serve.admin_public");
  EXPECT_EQ(Reason({.admin = "0.0.0.0:1", .admin_public = true}), "");
  EXPECT_EQ(Reason({.admin = "0.0.0.0:1", .tls = {.certificate = "c"}}), "serve.admin_public");
  EXPECT_EQ(Reason({.admin = "0.0.0.0:1", .tls = {.certificate = "c", .client_ca = "a"}}), "");
  EXPECT_EQ(Reason({.admin = "0.0.0.0:1",
                    .tls = {.certificate = "c", .client_ca = "a", .client_auth = net::tls::ClientAuth::kOptional}}),
            "serve.admin_public");
}

TEST(ListenOptionsTest, TellsTheWayOut) {
  const ListenOptions options{.admin = "10.0.0.1:8081"};
  EXPECT_THAT(options.Check().error().message, HasSubstr("10.0.0.1:8081"));
  EXPECT_THAT(options.Check().error().message, HasSubstr("--admin-public"));
}

TEST(ListenOptionsTest, ObservingOnTheAdminListenerNeedsOne) {
  EXPECT_EQ(Reason({.observe_on = ObserveOn::kAdmin}), "serve.observe_on");
  EXPECT_EQ(Reason({.admin = "127.0.0.1:1", .observe_on = ObserveOn::kAdmin}), "");
  EXPECT_FALSE(ParseObserveOn("main"));
  EXPECT_EQ(ParseObserveOn("admin").value(), ObserveOn::kAdmin);
}

TEST(ListenOptionsTest, AddressesAndTlsOptionsAreCheckedBeforeAnythingStarts) {
  EXPECT_EQ(Reason({.http = {"127.0.0.1:1", "nowhere"}}), "net.address");
  EXPECT_EQ(Reason({.admin = "unix:"}), "net.address");
  EXPECT_EQ(Reason({.tls = {.key = "k"}}), "tls.options");
}

}  // namespace
}  // namespace slipway::serving
