#include "tables/database_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::tables {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(DatabaseAddress, IsToldFromAPathByItsBeginning) {
  EXPECT_TRUE(IsDatabaseAddress("sqlite:a.db?table=t"));
  EXPECT_TRUE(IsDatabaseAddress("postgresql://h/d"));
  EXPECT_TRUE(IsDatabaseAddress("mysql://h/d"));
  EXPECT_TRUE(IsDatabaseAddress("mariadb://h/d"));
  EXPECT_FALSE(IsDatabaseAddress("flights.csv"));
  EXPECT_FALSE(IsDatabaseAddress("s3://bucket/key"));
}

TEST(DatabaseAddress, NamesATableOfAFile) {
  const auto address = ParseDatabaseSource("sqlite:/data/a b.db?table=main flights");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->Connection(), "/data/a b.db");
  EXPECT_EQ(address->TableName(), "main flights");
}

TEST(DatabaseAddress, TakesAServersAddressApart) {
  const auto address = ParseDatabaseSource("postgres://ann:p%40ss:w@db.example:5433/shop?table=s.t&sslmode=require");
  ASSERT_TRUE(address);
  EXPECT_THAT(address->parameters,
              ElementsAre(Pair("user", "ann"), Pair("password", "p@ss:w"), Pair("dbname", "shop"),
                          Pair("host", "db.example"), Pair("port", "5433"), Pair("sslmode", "require")));
  EXPECT_EQ(address->schema, "s");
  EXPECT_EQ(address->table, "t");
  EXPECT_EQ(address->shown, "postgres://ann@db.example:5433/shop?table=s.t&sslmode=require");
}

TEST(DatabaseAddress, TakesSeveralHostsAndBracketsOfIpv6) {
  const auto address = ParseDatabaseSource("postgresql://a:1,[::1]:2,c/d?table=t");
  ASSERT_TRUE(address);
  EXPECT_THAT(address->parameters, ElementsAre(Pair("dbname", "d"), Pair("host", "a,::1,c"), Pair("port", "1,2,")));
}

TEST(DatabaseAddress, QuotesWhatLibpqWouldTakeForMore) {
  const auto address = ParseDatabaseSource("postgres://u:it's%20a\\ b@h/d?table=t&connect_timeout=3");
  ASSERT_TRUE(address);
  EXPECT_THAT(address->Connection(), HasSubstr("password='it\\'s a\\\\ b'"));
  EXPECT_THAT(address->Connection(), HasSubstr("connect_timeout='3'"));
  EXPECT_THAT(address->Connection(), HasSubstr("tcp_user_timeout='60000'"));
}

TEST(DatabaseAddress, TakesAnAddressOfMysqlApart) {
  const auto address =
      ParseDatabaseSource("mysql://ann:p%40s\"\\s@db.example:3307/shop?table=other.t&ssl-mode=required");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->kind, DatabaseKind::kMysql);
  EXPECT_EQ(address->Connection(),
            "user=\"ann\" password=\"p@s\\\"\\\\s\" database=\"shop\" host=\"db.example\" port=\"3307\" "
            "ssl_mode=\"required\"");
  EXPECT_EQ(address->TableName(), "other.t");
  EXPECT_EQ(address->shown, "mysql://ann@db.example:3307/shop?table=other.t&ssl-mode=required");
  EXPECT_EQ(ParseDatabaseSource("mariadb://u:a@h/d?table=t&passwd=b")->Connection(),
            "user=\"u\" database=\"d\" host=\"h\" password=\"b\"");
}

TEST(DatabaseAddress, RefusesWhatMysqlsClientDoesNotKnow) {
  EXPECT_THAT(ParseDatabaseSource("mysql://h/d?table=t&ssl_mod=required").error().message, HasSubstr("\"ssl_mode\""));
  EXPECT_THAT(ParseDatabaseSource("mysql://a,b/d?table=t").error().message, HasSubstr("several hosts"));
  EXPECT_THAT(ParseDatabaseTarget("mysql://h/d?table=t").error().message, HasSubstr("not written; write a file"));
}

TEST(DatabaseAddress, HidesThePasswordWhereverItStands) {
  EXPECT_EQ(WithoutPassword("postgres://u:secret@h/d?table=t"), "postgres://u@h/d?table=t");
  EXPECT_EQ(WithoutPassword("postgres://u:sec@ret@h/d?table=t"), "postgres://u@h/d?table=t");
  EXPECT_EQ(WithoutPassword("postgres://u:sec/ret@h/d?table=t"), "postgres://u@h/d?table=t");
  EXPECT_EQ(WithoutPassword("postgres://h/d?password=secret&table=t&sslpassword=x"), "postgres://h/d?table=t");
  EXPECT_EQ(WithoutPassword("postgres://u:sec?ret@h/d?table=t"), "postgres://…");
  EXPECT_EQ(WithoutPassword("postgres://h:5432,[::1]:2/d?table=t"), "postgres://h:5432,[::1]:2/d?table=t");
  EXPECT_EQ(WithoutPassword("mysql://u:secret@h/d?passwd=secret&table=t"), "mysql://u@h/d?table=t");
  EXPECT_EQ(WithoutPassword("flights.csv"), "flights.csv");
  const auto broken = ParseDatabaseSource("postgres://u:secret@h/d");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, Not(HasSubstr("secret")));
}

TEST(DatabaseAddress, ShowsNothingOfAPasswordThatIsWrittenSoThatItEndsAnywhere) {
  EXPECT_EQ(WithoutPassword("postgres://u:a@secret?b@h/d?table=t"), "postgres://…");
  EXPECT_EQ(WithoutPassword("postgres://u:a@x:secret?table=t"), "postgres://…");
  EXPECT_EQ(WithoutPassword("postgres://[u:secret?b@h/d?table=t"), "postgres://…");
  EXPECT_EQ(WithoutPassword("mysql://[a:secret]?b@h/d?table=t"), "mysql://…");
  EXPECT_EQ(WithoutPassword("mysql://u:12?secret&b@h/d?table=t"), "mysql://…");
  const auto broken = ParseDatabaseSource("mysql://u:12?secret&b@h/d?table=t");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, AllOf(HasSubstr("%3F for ?"), Not(HasSubstr("secret"))));
}

TEST(DatabaseAddress, DecodesAQuery) {
  const auto address = ParseDatabaseSource("postgres://h/d?query=SELECT a+1 FROM t WHERE b=1 %26 2 LIKE '1%25'");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->query, "SELECT a+1 FROM t WHERE b=1 & 2 LIKE '1%'");
}

TEST(DatabaseAddress, AsksForAKeyWhereRowsAreFoundAgain) {
  const auto target = ParseDatabaseTarget("sqlite:a.db?table=t&mode=upsert&key=a,b");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->key, ElementsAre("a", "b"));
  EXPECT_THAT(ParseDatabaseTarget("sqlite:a.db?table=t&mode=upsert").error().message, HasSubstr("&key=a,b"));
  EXPECT_THAT(ParseDatabaseTarget("sqlite:a.db?table=t&key=a").error().message, HasSubstr("mode=upsert"));
  EXPECT_THAT(ParseDatabaseTarget("sqlite:a.db?table=t&mode=merge").error().message, HasSubstr("append"));
  EXPECT_THAT(ParseDatabaseSource("sqlite:a.db?table=t&mode=replace").error().message, HasSubstr("leave them out"));
  EXPECT_THAT(ParseDatabaseTarget("sqlite:a.db?tabel=t").error().message, HasSubstr("did you mean \"table\"?"));
}

TEST(DatabaseAddress, GivesAFileAnAbsolutePath) {
  EXPECT_TRUE(WithAbsolutePath("sqlite:a.db?table=t").starts_with("sqlite:/"));
  EXPECT_EQ(WithAbsolutePath("sqlite:/d/../a.db?table=t"), "sqlite:/a.db?table=t");
  EXPECT_EQ(WithAbsolutePath("postgres://h/d?table=t"), "postgres://h/d?table=t");
}

}  // namespace
}  // namespace slipway::tables
