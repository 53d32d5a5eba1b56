#include "storage/s3/signature.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace slipway::storage::s3 {
namespace {

// The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
const Credentials kExample{.id = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
constexpr std::string_view kTime = "20130524T000000Z";
constexpr std::string_view kNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string SignatureOf(SigningTarget target) {
  target.headers["host"] = "examplebucket.s3.amazonaws.com";
  target.headers["x-amz-content-sha256"] = target.body_digest;
  target.headers["x-amz-date"] = kTime;
  const auto text = Authorization(target, kExample, "us-east-1", kTime);
  return text.substr(text.find("Signature=") + 10);
}

TEST(SignatureTest, SignsAReadOfARangeAsTheDocumentationDoes) {
  EXPECT_EQ(SignatureOf({.method = "GET",
                         .path = "/test.txt",
                         .query = "",
                         .headers = {{"range", "bytes=0-9"}},
                         .body_digest = kNothing}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SignatureTest, SignsAnObjectWithAKeyThatIsEscaped) {
  const auto digest = Sha256Digits("Welcome to Amazon S3.");
  const auto path = "/" + base::EncodePercent("test$file.text", true);
  EXPECT_EQ(SignatureOf(
                {.method = "PUT",
                 .path = path,
                 .query = "",
                 .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                 .body_digest = digest}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SignatureTest, SignsAParameterWithoutAValue) {
  const auto query = CanonicalQuery({{"lifecycle", ""}});
  EXPECT_EQ(SignatureOf({.method = "GET", .path = "/", .query = query, .headers = {}, .body_digest = kNothing}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SignatureTest, SignsAList) {
  const auto query = CanonicalQuery({{"prefix", "J"}, {"max-keys", "2"}});
  EXPECT_EQ(SignatureOf({.method = "GET", .path = "/", .query = query, .headers = {}, .body_digest = kNothing}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SignatureTest, SortsParametersByTheirNamesAndNotByTheirText) {
  EXPECT_EQ(CanonicalQuery({{"key-2", "b"}, {"key", "a"}, {"a b", "c/d+e=f%"}}),
            "a%20b=c%2Fd%2Be%3Df%25&key=a&key-2=b");
}

}  // namespace
}  // namespace slipway::storage::s3
