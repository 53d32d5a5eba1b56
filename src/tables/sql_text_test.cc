#include "tables/sql_text.h"

#include <gtest/gtest.h>

namespace slipway::tables {
namespace {

TEST(SqlText, FindsCallsOutsideOfQuotesAndComments) {
  EXPECT_EQ(CallsOf("predict", "SELECT a, Predict (t) FROM t"), "SELECT a, Predict (t) FROM t");
  EXPECT_EQ(CallsOf("predict", "SELECT predict FROM t"), std::nullopt);
  EXPECT_EQ(CallsOf("predict", "SELECT 'it''s predict(t)', \"predict(\", xpredict(t), predict2(t) FROM t"),
            std::nullopt);
  EXPECT_EQ(CallsOf("predict", "SELECT 1 -- predict(t)\n/* predict(/* */ t) */ FROM t"), std::nullopt);
  EXPECT_EQ(CallsOf("predict", "SELECT $$predict(t)$$, $x$ $$ predict(*) $x$, E'\\' predict(*)' FROM t"), std::nullopt);
}

TEST(SqlText, PutsAllColumnsIntoAStructForAStar) {
  EXPECT_EQ(CallsOf("predict", "SELECT predict( /* all */ *) FROM t"),
            "SELECT predict( /* all */ struct_pack(*COLUMNS(*))) FROM t");
  EXPECT_EQ(CallsOf("predict", "SELECT predict(* EXCLUDE (a, \")\")), f(*) FROM t"),
            "SELECT predict(struct_pack(*COLUMNS(* EXCLUDE (a, \")\")))), f(*) FROM t");
  EXPECT_EQ(CallsOf("predict", "SELECT predict(*), predict(*)"),
            "SELECT predict(struct_pack(*COLUMNS(*))), predict(struct_pack(*COLUMNS(*)))");
}

TEST(SqlText, FindsACallWithAStarInsideOfAnother) {
  EXPECT_EQ(CallsOf("predict", "SELECT predict(* REPLACE (predict(*).p AS a)) FROM t"),
            "SELECT predict(struct_pack(*COLUMNS(* REPLACE (predict(struct_pack(*COLUMNS(*))).p AS a)))) FROM t");
  EXPECT_EQ(CallsOf("predict", "SELECT predict (predict)"), "SELECT predict (predict)");
}

TEST(SqlText, LeavesWhatIsNotClosedToTheParser) {
  EXPECT_EQ(CallsOf("predict", "SELECT predict(*"), "SELECT predict(struct_pack(*COLUMNS(*))");
  EXPECT_EQ(CallsOf("predict", "SELECT 'predict(*)"), std::nullopt);
  EXPECT_EQ(CallsOf("predict", "SELECT /* predict(*)"), std::nullopt);
  EXPECT_EQ(CallsOf("predict", "SELECT $predict(*)"), std::nullopt);
  EXPECT_EQ(CallsOf("predict", ""), std::nullopt);
}

TEST(SqlText, TellsWhatBeginsAsAQuestion) {
  EXPECT_TRUE(BeginsAsQuestion("select 1"));
  EXPECT_TRUE(BeginsAsQuestion(" -- rows\n/* all */ (SELECT 1) UNION (SELECT 2)"));
  EXPECT_TRUE(BeginsAsQuestion("With a AS (SELECT 1) SELECT * FROM a"));
  EXPECT_FALSE(BeginsAsQuestion("DELETE FROM t RETURNING *"));
  EXPECT_FALSE(BeginsAsQuestion("selected"));
  EXPECT_FALSE(BeginsAsQuestion("-- SELECT 1"));
  EXPECT_FALSE(BeginsAsQuestion(""));
}

}  // namespace
}  // namespace slipway::tables
