#include "serving/version_reference.h"

#include <gtest/gtest.h>

#include "live/sum_bundle_fake.h"

namespace slipway::serving {
namespace {

std::optional<int64_t> IntegerOf(std::string_view version) {
  return IntegerVersion(*bundle::Version::Parse(version));
}

TEST(IntegerVersion, CountsInThousands) {
  EXPECT_EQ(IntegerOf("1.4.2"), 1004002);
  EXPECT_EQ(IntegerOf("0.4.2"), 4002);
  EXPECT_EQ(IntegerOf("999999.999.999"), 999999999999);
}

TEST(IntegerVersion, IsNotGivenWhereItWouldBeAmbiguous) {
  for (const char* version : {"1.0.0-rc.1", "0.0.7", "1.1000.0", "1.0.1000", "1000000.0.0"}) {
    EXPECT_EQ(IntegerOf(version), std::nullopt) << version;
  }
}

class ComposeReferenceTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* version : {"1.4.2", "2.0.0"}) ASSERT_TRUE(live_.Load(bundles_.Write("sum", version)));
  }
  std::string Resolved(std::string_view selector) {
    std::string reference;
    ComposeReference(live_, "sum", selector, reference);
    const auto model = live_.Current()->Resolve(reference);
    return model ? (*model)->version_text : model.error().reason;
  }
  live::SumBundles bundles_;
  live::LiveSet live_{bundles_.engines()};
};

TEST_F(ComposeReferenceTest, NothingMeansStable) {
  EXPECT_EQ(Resolved(""), "2.0.0");
  EXPECT_EQ(Resolved("stable"), "2.0.0");
}

TEST_F(ComposeReferenceTest, SelectorsMeanWhatTheyMeanEverywhere) {
  EXPECT_EQ(Resolved("1.4.2"), "1.4.2");
  EXPECT_EQ(Resolved("1.4"), "1.4.2");
  EXPECT_EQ(Resolved("^1.2"), "1.4.2");
}

TEST_F(ComposeReferenceTest, AnIntegerIsAMajorVersionFirstAndElseAnIntegerVersion) {
  EXPECT_EQ(Resolved("1"), "1.4.2");
  EXPECT_EQ(Resolved("1004002"), "1.4.2");
  EXPECT_EQ(Resolved("3"), "model.version_unknown");
  EXPECT_EQ(Resolved("1004003"), "model.version_unknown");
  EXPECT_EQ(Resolved("99999999999999999999999"), "model.reference");
}

}  // namespace
}  // namespace slipway::serving
