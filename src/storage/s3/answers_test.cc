#include "storage/s3/answers.h"

#include <gtest/gtest.h>

#include "storage/s3/store.h"

namespace slipway::storage::s3 {
namespace {

TEST(S3AnswersTest, ReadsAPageOfAListAndWhereItGoesOn) {
  Listing listing;
  const auto read = ReadListing(
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>t=</"
      "NextContinuationToken>"
      "<Contents><Key>a%2Fb+c%25</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;x&quot;</"
      "ETag><Size>7</Size>"
      "</Contents></ListBucketResult>",
      listing);
  ASSERT_TRUE(read);
  ASSERT_EQ(listing.objects.size(), 1U);
  EXPECT_EQ(listing.objects[0].key, "a/b c%");
  EXPECT_EQ(listing.objects[0].tag, "x");
  EXPECT_EQ(ReadTag("x"), "x");
  EXPECT_EQ(listing.objects[0].size, 7);
  EXPECT_EQ(listing.objects[0].modified, 1255369830);
  EXPECT_EQ(listing.next, "t=");
}

TEST(S3AnswersTest, APageThatIsTheLastGoesOnNowhere) {
  Listing listing{.objects = {}, .next = "before"};
  ASSERT_TRUE(ReadListing("<L><IsTruncated>false</IsTruncated><Contents><Key>a%20b</Key><Size>0</Size></Contents></L>",
                          listing));
  EXPECT_EQ(listing.next, "");
  EXPECT_EQ(listing.objects[0].key, "a%20b");
}

TEST(S3AnswersTest, RefusesListsThatCannotBeTrusted) {
  for (const char* xml :
       {"<L><Contents><Size>1</Size></Contents></L>", "<L><Contents><Key>a</Key><Size>-1</Size></Contents></L>",
        "<L><Contents><Key>a</Key><Size>x</Size></Contents></L>", "<L><IsTruncated>true</IsTruncated></L>", "<L>"}) {
    Listing listing;
    const auto read = ReadListing(xml, listing);
    ASSERT_FALSE(read) << xml;
    EXPECT_EQ(read.error().reason, "storage.answer");
  }
}

TEST(S3AnswersTest, ReadsUploads) {
  Uploads uploads;
  ASSERT_TRUE(
      ReadUploads("<R><Upload><Key>k</Key><UploadId>1</UploadId></Upload><IsTruncated>true</"
                  "IsTruncated><NextKeyMarker>k</NextKeyMarker>"
                  "<NextUploadIdMarker>1</NextUploadIdMarker></R>",
                  uploads));
  EXPECT_EQ(uploads.uploads[0].id, "1");
  EXPECT_EQ(uploads.next_key, "k");
  EXPECT_EQ(*ReadUploadId("<R><Bucket>b</Bucket><UploadId>u</UploadId></R>"), "u");
  EXPECT_FALSE(ReadUploadId("<R/>"));
}

TEST(S3AnswersTest, WhatPassesIsToldFromWhatStays) {
  EXPECT_TRUE(MayPass(503, {}));
  EXPECT_TRUE(MayPass(429, {}));
  EXPECT_TRUE(MayPass(400, {.code = "RequestTimeout"}));
  EXPECT_FALSE(MayPass(501, {}));
  EXPECT_FALSE(MayPass(403, {.code = "AccessDenied"}));
  EXPECT_FALSE(MayPass(404, {}));
}

TEST(S3AnswersTest, NamesTheRegionThatABucketIsIn) {
  const Asked asked{
      .doing = "read", .bucket = "b", .key = "k", .endpoint = "https://e", .region = "us-east-1", .login = "of x"};
  const auto error = ToError(301, {}, "eu-west-1", asked);
  EXPECT_EQ(error.reason, "storage.region");
  EXPECT_NE(error.message.find("AWS_REGION=eu-west-1"), std::string::npos);
  EXPECT_EQ(error.where, "s3://b/k");
}

TEST(S3AnswersTest, AnUnknownKeyIdIsNoMissingObjectWhateverTheStatus) {
  const Asked asked{
      .doing = "read", .bucket = "b", .key = "k", .endpoint = "https://e", .region = "r", .login = "of x"};
  EXPECT_EQ(ToError(404, {.code = "InvalidAccessKeyId"}, "", asked).reason, "storage.credentials");
  EXPECT_EQ(ToError(404, {.code = "NoSuchKey"}, "", asked).reason, "storage.missing");
  EXPECT_NE(ToError(404, {.code = "Own", .message = "no such user"}, "", asked).message.find("Own no such user"),
            std::string::npos);
  EXPECT_EQ(ToError(404, {.code = "NoSuchBucket"}, "", asked).reason, "storage.no_bucket");
}

TEST(S3AnswersTest, ReadsBothFormsOfTime) {
  EXPECT_EQ(ReadTime("Wed, 12 Oct 2009 17:50:30 GMT"), 1255369830);
  EXPECT_EQ(ReadTime("soon"), 0);
}

TEST(S3AnswersTest, PartsAreLargeEnoughThatTenThousandOfThemHoldTheObject) {
  EXPECT_EQ(PartBytesFor(0), int64_t{16} << 20);
  EXPECT_EQ(PartBytesFor(1), int64_t{8} << 20);
  EXPECT_EQ(PartBytesFor(int64_t{60} << 30), int64_t{8} << 20);
  EXPECT_EQ(PartBytesFor(int64_t{1} << 40) % (1 << 20), 0);
  EXPECT_GE(PartBytesFor(int64_t{5} << 40) * 10'000, int64_t{5} << 40);
}

}  // namespace
}  // namespace slipway::storage::s3
