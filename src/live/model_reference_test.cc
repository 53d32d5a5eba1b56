#include "live/model_reference.h"

#include <gtest/gtest.h>

namespace slipway::live {
namespace {

using Kind = ModelReference::Kind;

bool Accepts(std::string_view reference, std::string_view version, std::string_view digest = "sha256:0") {
  return ModelReference::Parse(reference)->Accepts(*bundle::Version::Parse(version), digest);
}

TEST(ModelReference, TakesTheFormsApart) {
  EXPECT_EQ(ModelReference::Parse("iris")->kind, Kind::kDefault);
  EXPECT_EQ(ModelReference::Parse("iris@1.4.2")->kind, Kind::kExact);
  EXPECT_EQ(ModelReference::Parse("iris@1.4.2-rc.1")->kind, Kind::kExact);
  EXPECT_EQ(ModelReference::Parse("iris@1.4")->kind, Kind::kPrefix);
  EXPECT_EQ(ModelReference::Parse("iris@1")->kind, Kind::kPrefix);
  EXPECT_EQ(ModelReference::Parse("iris@^1.2")->kind, Kind::kCaret);
  EXPECT_EQ(ModelReference::Parse("iris@stable")->kind, Kind::kAlias);
  EXPECT_EQ(ModelReference::Parse("iris@sha256:0123456789ab")->kind, Kind::kDigest);
  EXPECT_EQ(ModelReference::Parse("iris@stable")->name, "iris");
}

TEST(ModelReference, RefusesWhatIsNone) {
  for (const char* text : {"", "@1.0.0", "iris@", "iris@1.2.3.4", "iris@1..2", "iris@^", "iris@^x", "iris@1.x",
                           "iris@a b", "iris@sha256:0123", "iris@01.2", "iris@9999999999999999999999"}) {
    const auto parsed = ModelReference::Parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().reason, "model.reference");
  }
  EXPECT_FALSE(ModelReference::Parse(std::string(1000, 'a')));
}

TEST(ModelReference, ExactMeansExact) {
  EXPECT_TRUE(Accepts("m@1.4.2", "1.4.2"));
  EXPECT_FALSE(Accepts("m@1.4.2", "1.4.3"));
  EXPECT_TRUE(Accepts("m@1.4.2-rc.1", "1.4.2-rc.1"));
  EXPECT_FALSE(Accepts("m@1.4.2", "1.4.2-rc.1"));
}

TEST(ModelReference, PrefixesMeanReleases) {
  EXPECT_TRUE(Accepts("m@1.4", "1.4.9"));
  EXPECT_FALSE(Accepts("m@1.4", "1.5.0"));
  EXPECT_TRUE(Accepts("m@1", "1.5.0"));
  EXPECT_FALSE(Accepts("m@1", "2.0.0"));
  EXPECT_FALSE(Accepts("m@1", "1.5.0-rc.1"));
}

TEST(ModelReference, CaretFollowsSemanticVersioning) {
  EXPECT_TRUE(Accepts("m@^1.2", "1.2.0"));
  EXPECT_TRUE(Accepts("m@^1.2", "1.9.3"));
  EXPECT_FALSE(Accepts("m@^1.2", "1.1.9"));
  EXPECT_FALSE(Accepts("m@^1.2", "2.0.0"));
  EXPECT_FALSE(Accepts("m@^1.2", "1.3.0-rc.1"));
  EXPECT_TRUE(Accepts("m@^0.2", "0.2.7"));
  EXPECT_FALSE(Accepts("m@^0.2", "0.3.0"));
  EXPECT_FALSE(Accepts("m@^0.0.3", "0.0.4"));
  EXPECT_TRUE(Accepts("m@^0", "0.9.0"));
}

TEST(ModelReference, DigestsMayBeShortened) {
  EXPECT_TRUE(Accepts("m@sha256:0123456789ab", "1.0.0", "sha256:0123456789abcdef"));
  EXPECT_FALSE(Accepts("m@sha256:0123456789ac", "1.0.0", "sha256:0123456789abcdef"));
}

}  // namespace
}  // namespace slipway::live
