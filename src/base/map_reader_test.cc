#include "base/map_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Value Read(std::string_view json) {
  return ParseJson(json).value();
}

TEST(MapReader, GivesWhatIsThere) {
  const Value value = Read(R"({"t":"x","b":true,"i":-3,"ts":["a","b"],"is":[1,-1],"any":null})");
  MapReader reader(value);
  EXPECT_EQ(reader.Text("t"), "x");
  EXPECT_TRUE(reader.Boolean("b"));
  EXPECT_EQ(reader.Integer("i", -3, 0), -3);
  EXPECT_THAT(reader.Texts("ts"), ElementsAre("a", "b"));
  EXPECT_THAT(reader.Integers("is", -1), ElementsAre(1, -1));
  EXPECT_NE(reader.Find("any"), nullptr);
  EXPECT_EQ(reader.Find("none"), nullptr);
  EXPECT_TRUE(reader.fine());
}

TEST(MapReader, RemembersWhatIsMissingOrOfAnotherKind) {
  const Value value = Read(R"({"t":"x","i":7,"ts":["a",1],"is":[1,-2,"3"]})");
  const auto fails = [&](auto&& read) {
    MapReader reader(value);
    read(reader);
    return !reader.fine();
  };
  EXPECT_TRUE(fails([](MapReader& r) { EXPECT_EQ(r.Text("none"), ""); }));
  EXPECT_TRUE(fails([](MapReader& r) { EXPECT_EQ(r.Text("i"), ""); }));
  EXPECT_TRUE(fails([](MapReader& r) { EXPECT_FALSE(r.Boolean("t")); }));
  EXPECT_TRUE(fails([](MapReader& r) { EXPECT_EQ(r.Integer("i", 8), 0); }));
  EXPECT_TRUE(fails([](MapReader& r) { EXPECT_EQ(r.Integer("i", 0, 6), 0); }));
  EXPECT_TRUE(fails([](MapReader& r) { r.Texts("ts"); }));
  EXPECT_TRUE(fails([](MapReader& r) { r.Integers("is", -1); }));
  EXPECT_TRUE(fails([](MapReader& r) { EXPECT_THAT(r.List("t"), IsEmpty()); }));
  EXPECT_FALSE(fails([](MapReader& r) { r.Text("t"); }));
}

TEST(MapReader, OfSomethingElseThanAMapIsNeverFine) {
  const Value value = Read("[1]");
  MapReader reader(value);
  EXPECT_FALSE(reader.fine());
  EXPECT_EQ(reader.Integer("i"), 0);
}

}  // namespace
}  // namespace slipway::base
