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

TEST(SqlText, FindsNamesOfFilesAndLeavesOtherTextsAlone) {
  const auto replaced = [](std::string_view sql) {
    return WithFilesReplaced(sql, [](const std::string& name) {
      return name.starts_with("s3:") ? std::optional("/it's/" + name.substr(3)) : std::nullopt;
    });
  };
  EXPECT_EQ(replaced("SELECT 's3:a' FROM 's3:a' t JOIN \"s3:b\" USING (k)"),
            "SELECT 's3:a' FROM '/it''s/a' t JOIN '/it''s/b' USING (k)");
  EXPECT_EQ(replaced("FROM read_csv('s3:a', delim = 's3:') WHERE x = 's3:a' -- FROM 's3:a'"),
            "FROM read_csv('/it''s/a', delim = 's3:') WHERE x = 's3:a' -- FROM 's3:a'");
  EXPECT_EQ(replaced("FROM READ_PARQUET(['s3:a', 's3:b', 'c'], filename = true)"),
            "FROM READ_PARQUET(['/it''s/a', '/it''s/b', 'c'], filename = true)");
  EXPECT_EQ(replaced("FROM parquet_scan('s3:a') WHERE u IN ('s3:a', 's3:b') AND f(['s3:c'])"),
            "FROM parquet_scan('/it''s/a') WHERE u IN ('s3:a', 's3:b') AND f(['s3:c'])");
  EXPECT_EQ(replaced("SELECT substring(a FROM 's3'), ']' FROM 'x' -- '"),
            "SELECT substring(a FROM 's3'), ']' FROM 'x' -- '");
  EXPECT_EQ(replaced("FROM 's3:it''s'"), "FROM '/it''s/it''s'");
  EXPECT_EQ(replaced("FROM 's3:never closed"), "FROM 's3:never closed");
}

}  // namespace
}  // namespace slipway::tables
