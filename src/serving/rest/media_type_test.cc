#include "serving/rest/media_type.h"

#include <gtest/gtest.h>

namespace slipway::serving::rest {
namespace {

TEST(MediaType, KnownTypesInAnyCaseAndWithParameters) {
  EXPECT_EQ(BodyFormOf(""), BodyForm::kJson);
  EXPECT_EQ(BodyFormOf("application/json"), BodyForm::kJson);
  EXPECT_EQ(BodyFormOf("Application/JSON; charset=UTF-8"), BodyForm::kJson);
  EXPECT_EQ(BodyFormOf("application/json;charset=\"utf-8\""), BodyForm::kJson);
  EXPECT_EQ(BodyFormOf("application/x-ndjson"), BodyForm::kJsonLines);
  EXPECT_EQ(BodyFormOf("text/csv; header=present; charset=us-ascii"), BodyForm::kCsv);
}

TEST(MediaType, OthersAreNotTaken) {
  EXPECT_EQ(BodyFormOf("text/plain"), std::nullopt);
  EXPECT_EQ(BodyFormOf("application/json; charset=utf-16"), std::nullopt);
  EXPECT_EQ(BodyFormOf("application/json; charset"), std::nullopt);
  EXPECT_EQ(BodyFormOf(";"), std::nullopt);
}

}  // namespace
}  // namespace slipway::serving::rest
