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

std::string_view Chosen(std::string_view accept, BodyForm natural = BodyForm::kJson) {
  const auto chosen = ChooseForm(accept, natural);
  return chosen ? chosen->media_type : "none";
}

TEST(ChooseForm, TakesTheBodysFormUnlessAnotherIsWanted) {
  EXPECT_EQ(Chosen("", BodyForm::kCsv), "text/csv; charset=utf-8");
  EXPECT_EQ(Chosen("*/*", BodyForm::kJsonLines), "application/x-ndjson");
  EXPECT_EQ(Chosen("application/json, text/plain, */*", BodyForm::kJsonLines), "application/x-ndjson");
  EXPECT_EQ(Chosen("text/csv"), "text/csv; charset=utf-8");
  EXPECT_EQ(Chosen("application/json", BodyForm::kCsv), "application/json");
  EXPECT_EQ(Chosen("text/*"), "text/csv; charset=utf-8");
}

TEST(ChooseForm, FollowsQualitiesAndTheMostSpecificRange) {
  EXPECT_EQ(Chosen("application/json;q=0.5, text/csv;q=0.9"), "text/csv; charset=utf-8");
  EXPECT_EQ(Chosen("text/csv;q=0.1, */*;q=0.5", BodyForm::kCsv), "application/json");
  EXPECT_EQ(Chosen("*/*, application/json;q=0"), "application/x-ndjson");
  EXPECT_EQ(Chosen("application/jsonl"), "application/jsonl") << "the name that was asked for";
  EXPECT_EQ(Chosen("Text/CSV;header=present;Q=0.2"), "text/csv; charset=utf-8");
}

TEST(ChooseForm, KnowsWhatCannotBeHad) {
  EXPECT_EQ(Chosen("text/html"), "none");
  EXPECT_EQ(Chosen("application/json;q=0"), "none");
  EXPECT_EQ(Chosen("image/*, text/html;q=0.9"), "none");
}

}  // namespace
}  // namespace slipway::serving::rest
