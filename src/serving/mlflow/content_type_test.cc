#include "serving/mlflow/content_type.h"

#include <gtest/gtest.h>

namespace slipway::serving::mlflow {
namespace {

TEST(ContentType, KnowsJsonAndCsvInUtf8) {
  EXPECT_EQ(ContentOf(""), Content::kJson);
  EXPECT_EQ(ContentOf("application/json"), Content::kJson);
  EXPECT_EQ(ContentOf("Application/JSON ; Charset=\"UTF-8\""), Content::kJson);
  EXPECT_EQ(ContentOf("application/json;"), Content::kJson);
  EXPECT_EQ(ContentOf("text/csv; charset=utf8"), Content::kCsv);
}

TEST(ContentType, RefusesOtherTypesCharsetsAndParameters) {
  EXPECT_EQ(ContentOf("text/plain"), std::nullopt);
  EXPECT_EQ(ContentOf("application/vnd.apache.parquet"), std::nullopt);
  EXPECT_EQ(ContentOf("application/json; charset=latin1"), std::nullopt);
  EXPECT_EQ(ContentOf("application/json; charset=utf-8; charset=latin1"), std::nullopt);
  EXPECT_EQ(ContentOf("application/json; charset"), std::nullopt);
  EXPECT_EQ(ContentOf("application/json; format=pandas-split"), std::nullopt);
}

}  // namespace
}  // namespace slipway::serving::mlflow
