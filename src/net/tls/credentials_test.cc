#include "net/tls/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/tls/authority_test.h"

namespace slipway::net::tls {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class CredentialsTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<Credentials>> Load(Options options, milliseconds interval = milliseconds(0)) {
    return Credentials::Load(
        {.options = std::move(options), .metrics = &metrics_, .log = log_.get(), .check_interval = interval});
  }
  base::Error LoadError(Options options) {
    const auto loaded = Load(std::move(options));
    return loaded ? base::Error{.reason = "loaded"} : loaded.error();
  }
  std::string Write(const std::string& name, std::string_view bytes) {
    const auto path = folder_.path() / name;
    EXPECT_TRUE(base::WriteFileAtomically(path, bytes));
    return path.string();
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
  std::string WaitForFingerprint(const Credentials& credentials, const std::string& other_than) {
    std::string now = other_than;
    for (int i = 0; i < 500 && now == other_than; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      now = credentials.Current()->fingerprint();
    }
    return now;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::Create().value();
  Authority authority_{folder_.path()};
  telemetry::MetricRegistry metrics_;
  std::unique_ptr<telemetry::Log> log_ = telemetry::Log::Open({.path = (folder_.path() / "log").string()}).value();
};

TEST_F(CredentialsTest, TellsWhichFileIsAtFault) {
  const auto good = authority_.Issue("good.pem");
  const auto other = authority_.Issue("other.pem");
  EXPECT_EQ(LoadError({.certificate = (folder_.path() / "none.pem").string()}).reason, "file.missing");
  const auto text = LoadError({.certificate = Write("text.pem", "hello")});
  EXPECT_EQ(text.reason, "tls.certificate");
  EXPECT_THAT(text.Text(), HasSubstr("text.pem: no readable certificate (no such block)"));
  EXPECT_EQ(LoadError({.certificate = good.path, .key = Write("empty.pem", "")}).reason, "tls.key");
  EXPECT_EQ(LoadError({.certificate = good.path, .key = other.path}).reason, "tls.key_mismatch");
  EXPECT_EQ(LoadError({.certificate = good.path, .client_ca = Write("ca.pem", "-----BEGIN")}).reason, "tls.client_ca");
  EXPECT_EQ(LoadError({.certificate = authority_.Issue("weak.pem", {.rsa = true, .rsa_bits = 1024}).path}).reason,
            "tls.certificate");
  EXPECT_EQ(LoadError({.certificate = good.path}).reason, "loaded");
}

TEST_F(CredentialsTest, ADamagedChainIsRefusedAsAWhole) {
  const auto good = authority_.Issue("good.pem");
  const std::string damaged =
      base::ReadFile(good.path).value() + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(LoadError({.certificate = Write("damaged.pem", damaged), .key = good.path}).reason, "tls.certificate");
}

TEST_F(CredentialsTest, AKeyUnderAPassphraseIsRefusedWithoutAsking) {
  const auto good = authority_.Issue("good.pem");
  BIO* bio = BIO_new(BIO_s_mem());
  char passphrase[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio, good.key.get(), EVP_aes_128_cbc(), passphrase, 6, nullptr, nullptr);
  char* bytes = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &bytes));
  const auto error = LoadError({.certificate = good.path, .key = Write("locked.pem", {bytes, size})});
  BIO_free(bio);
  EXPECT_EQ(error.reason, "tls.key");
  EXPECT_THAT(error.message, HasSubstr("passphrase"));
}

TEST_F(CredentialsTest, OptionsThatNeedAnotherAreRefused) {
  const auto good = authority_.Issue("good.pem");
  EXPECT_EQ(LoadError({.key = good.path}).reason, "tls.options");
  EXPECT_EQ(LoadError({.client_ca = good.path}).reason, "tls.options");
  EXPECT_EQ(LoadError({.client_auth = ClientAuth::kOptional}).reason, "tls.options");
  EXPECT_EQ(LoadError({.certificate = good.path, .client_auth = ClientAuth::kRequire}).reason, "tls.options");
  EXPECT_FALSE(ParseClientAuth("sometimes"));
  EXPECT_EQ(ParseClientAuth("optional").value(), ClientAuth::kOptional);
}

TEST_F(CredentialsTest, ABrokenNewPairKeepsTheOldOneAndShowsInMetricsAndLog) {
  const auto pair = authority_.Issue("pair.pem");
  const auto credentials = Load({.certificate = pair.path}).value();
  const std::string before = credentials->Current()->fingerprint();
  Write("pair.pem", "broken");
  EXPECT_EQ(credentials->Reload().error().reason, "tls.certificate");
  EXPECT_EQ(credentials->Current()->fingerprint(), before);
  EXPECT_THAT(MetricsText(), HasSubstr("slipway_tls_certificate_outdated 1\n"));
  EXPECT_THAT(MetricsText(), HasSubstr("slipway_tls_reloads_total{result=\"failed\"} 1\n"));
  EXPECT_THAT(LogText(), HasSubstr("tls.reload_failed"));
  authority_.Issue("pair.pem");
  EXPECT_TRUE(credentials->Reload());
  EXPECT_NE(credentials->Current()->fingerprint(), before);
  EXPECT_THAT(MetricsText(), HasSubstr("slipway_tls_certificate_outdated 0\n"));
}

TEST_F(CredentialsTest, AnExpiredPairDoesNotReplaceAGoodOneButIsServedWhenThereIsNoOther) {
  const auto pair = authority_.Issue("pair.pem");
  const auto credentials = Load({.certificate = pair.path}).value();
  authority_.Issue("pair.pem", {.valid_from = -7200, .valid_until = -3600});
  EXPECT_EQ(credentials->Reload().error().reason, "tls.certificate_expired");
  EXPECT_TRUE(Load({.certificate = pair.path}));
  EXPECT_THAT(LogText(), HasSubstr("\"event\":\"tls.certificate_expired\""));
}

TEST_F(CredentialsTest, ShowsWhenTheCertificateExpires) {
  const auto pair = authority_.Issue("pair.pem");
  const auto credentials = Load({.certificate = pair.path}).value();
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(NotAfter(pair.certificate.get()).time_since_epoch());
  EXPECT_GT(seconds.count(), 1'500'000'000);
  std::string written = std::to_string(seconds.count());
  EXPECT_THAT(MetricsText(), testing::AnyOf(HasSubstr("slipway_tls_certificate_not_after_seconds " + written),
                                            HasSubstr("slipway_tls_certificate_not_after_seconds 1.")));
}

TEST_F(CredentialsTest, WarnsOfAKeyThatOthersCanRead) {
  const auto pair = authority_.Issue("pair.pem");
  Load({.certificate = pair.path}).value();
  EXPECT_THAT(LogText(), Not(HasSubstr("tls.key_is_open")));
  std::filesystem::permissions(pair.path, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  Load({.certificate = pair.path}).value();
  EXPECT_THAT(LogText(), HasSubstr("\"mode\":\"0604\""));
}

TEST_F(CredentialsTest, ChangedFilesAreNoticedAlsoBehindALinkThatIsSwapped) {
  const auto first = authority_.Issue("first.pem");
  const auto second = authority_.Issue("second.pem");
  const auto link = folder_.path() / "current.pem";
  std::filesystem::create_symlink(first.path, link);
  const auto credentials = Load({.certificate = link.string()}, milliseconds(10)).value();
  const std::string before = credentials->Current()->fingerprint();
  std::filesystem::create_symlink(second.path, folder_.path() / "next.pem");
  std::filesystem::rename(folder_.path() / "next.pem", link);
  EXPECT_EQ(WaitForFingerprint(*credentials, before), Fingerprint(second.certificate.get()));
}

TEST_F(CredentialsTest, APairWrittenOneFileAfterTheOtherIsTakenWhenBothAreThere) {
  const auto old = authority_.Issue("old.pem");
  std::filesystem::copy_file(old.path, folder_.path() / "c.pem");
  std::filesystem::copy_file(old.path, folder_.path() / "k.pem");
  const auto credentials =
      Load({.certificate = (folder_.path() / "c.pem").string(), .key = (folder_.path() / "k.pem").string()},
           milliseconds(10))
          .value();
  const auto fresh = authority_.Issue("fresh.pem");
  const std::string text = base::ReadFile(fresh.path).value();
  Write("c.pem", text);
  std::this_thread::sleep_for(milliseconds(60));  // long enough for the half to be seen, tried and refused
  EXPECT_EQ(credentials->Current()->fingerprint(), Fingerprint(old.certificate.get()));
  Write("k.pem", text);
  EXPECT_EQ(WaitForFingerprint(*credentials, Fingerprint(old.certificate.get())), Fingerprint(fresh.certificate.get()));
}

}  // namespace
}  // namespace slipway::net::tls
