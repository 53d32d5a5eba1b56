#include "embed/embedded_scorer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "embed/made_arrow_fixture.h"
#include "scoring/scorer_fixture.h"

namespace slipway::embed {
namespace {

using testing::HasSubstr;

/// Of the fixture's model: probabilities = [1 - s, s] with s = a + b.
class EmbeddedScorerTest : public scoring::ScorerTest {
 protected:
  EmbeddedScorerTest() {
    auto made = Make(std::string(scoring::kHead) + scoring::kInputs + scoring::kModel +
                     "outputs:\n  p: {from: \"probabilities[1]\"}\n  high: {when: \"p >= 0.5\"}\n");
    EXPECT_TRUE(made.has_value()) << made.error().Text();
    scorer_ = std::make_shared<const EmbeddedScorer>(*made, "sha256:none");
  }

  static Made Rows(const std::vector<double>& a, const std::vector<float>& b, const std::vector<std::string>& kind) {
    return TableOf({Values("g", a, "a"), Values("f", b, "b"), Texts(kind, "kind")});
  }

  /// Answers as text: "p high error", a row each.
  std::vector<std::string> Score(const Made& made, const ScoreOptions& options = {}) {
    const Table table(made);
    auto answers = scorer_->Score(*table.schema, *table.array, options);
    if (!answers) return {answers.error().reason + ": " + answers.error().Text()};
    Owned<ArrowArray> out;
    answers->Export(out.get());
    return Shown(*out);
  }

  static bool IsValid(const ArrowArray& array, int64_t row) {
    const auto* bits = static_cast<const uint8_t*>(array.buffers[0]);
    return bits == nullptr || (bits[row >> 3] >> (row & 7) & 1) != 0;
  }

  static std::vector<std::string> Shown(const ArrowArray& table) {
    std::vector<std::string> rows;
    const auto& [p, high, error] = std::tie(*table.children[0], *table.children[1], *table.children[2]);
    const auto* offsets = static_cast<const int32_t*>(error.buffers[1]);
    for (int64_t row = 0; row < table.length; ++row) {
      const std::string_view text(static_cast<const char*>(error.buffers[2]) + offsets[row],
                                  static_cast<size_t>(offsets[row + 1] - offsets[row]));
      const bool flag = (static_cast<const uint8_t*>(high.buffers[1])[row >> 3] >> (row & 7) & 1) != 0;
      rows.push_back(fmt::format(
          "{} {} {}", IsValid(p, row) ? fmt::format("{}", static_cast<const float*>(p.buffers[1])[row]) : "null",
          IsValid(high, row) ? fmt::format("{}", flag) : "null", IsValid(error, row) ? text : "null"));
    }
    return rows;
  }

  std::shared_ptr<const EmbeddedScorer> scorer_;
};

TEST_F(EmbeddedScorerTest, AnswersInTheOrderOfTheRows) {
  EXPECT_THAT(Score(Rows({0.25, 0.5}, {0.125F, 0.25F}, {"x", "y"})),
              testing::ElementsAre("0.375 false null", "0.75 true null"));
  EXPECT_EQ(Exported(), 0);
}

TEST_F(EmbeddedScorerTest, ExplainsARejectedRowInItsErrorColumn) {
  const auto rows = Score(Rows({0.25, -1}, {0, 0}, {"x", "z"}));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], "0.25 false null");
  EXPECT_THAT(rows[1],
              testing::StartsWith("null null {\"code\":\"schema.violation\",\"violations\":[{\"field\":\"a\",\"code\":"
                                  "\"schema.out_of_range\""));
  EXPECT_THAT(rows[1], HasSubstr("\"field\":\"kind\",\"code\":\"schema.not_in_set\""));
}

TEST_F(EmbeddedScorerTest, AnswersAsJsonDoes) {
  const auto lines = scorer_->ScoreLines(
      "{\"a\": 0.25, \"b\": 0.125, \"kind\": \"x\"}\n{\"a\": -1, \"b\": null, \"kind\": \"x\"}", false);
  ASSERT_TRUE(lines.has_value());
  EXPECT_THAT(*lines, HasSubstr("{\"row\":0,\"prediction\":{\"p\":0.375,\"high\":false}}"));
  const auto rows = Score(
      TableOf({Values<double>("g", {-1}, "a"), Nullable(Values<float>("f", {0}, "b"), {0}), Texts({"x"}, "kind")}));
  EXPECT_THAT(*lines, HasSubstr("\"error\":" + rows[0].substr(sizeof("null null") - 1 + 1)));
}

TEST_F(EmbeddedScorerTest, ReadsAStructThatIsSliced) {
  auto made = Rows({9, 0.25, 0.5}, {9, 0, 0}, {"x", "x", "y"});
  made.offset = 1;
  made.length = 2;
  EXPECT_THAT(Score(made), testing::ElementsAre("0.25 false null", "0.5 true null"));
}

TEST_F(EmbeddedScorerTest, AnswersTheSameOnAnyNumberOfThreads) {
  std::vector<double> a;
  std::vector<std::string> kind;
  for (int row = 0; row < 50'000; ++row) {
    a.push_back(row % 97 / 100.0 - (row % 1013 == 0 ? 1 : 0));
    kind.emplace_back(row % 3 == 0 ? "x" : "y");
  }
  const auto made = Rows(a, std::vector<float>(a.size(), 0.0F), kind);
  const auto alone = Score(made, {.columns = {}, .threads = 1});
  ASSERT_EQ(alone.size(), a.size());
  EXPECT_EQ(Score(made, {.columns = {}, .threads = 4}), alone);
}

TEST_F(EmbeddedScorerTest, ServesSeveralThreadsAtOnce) {
  const auto made =
      Rows(std::vector<double>(3000, 0.25), std::vector<float>(3000, 0.25F), std::vector<std::string>(3000, "x"));
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const Table table(made);
        for (int call = 0; call < 10; ++call) right += scorer_->Score(*table.schema, *table.array, {}).has_value();
      });
    }
  }
  EXPECT_EQ(right, 40);
}

TEST_F(EmbeddedScorerTest, RefusesTablesWithOtherColumns) {
  const auto full = Rows({0.25}, {0}, {"x"});
  const auto change = [&](auto edit) {
    auto made = full;
    edit(made.children);
    return Score(made)[0];
  };
  EXPECT_THAT(change([](auto& columns) { columns.erase(columns.begin()); }), HasSubstr("arrow.missing_column: a: "));
  EXPECT_THAT(change([](auto& columns) { columns[0].name = "aa"; }), HasSubstr("arrow.unknown_column: aa: "));
  EXPECT_THAT(change([](auto& columns) { columns.push_back(columns[0]); }), HasSubstr("arrow.duplicate_column: a: "));
  EXPECT_THAT(change([](auto& columns) { columns[1].length = 0; }), HasSubstr("arrow.malformed: b: "));
  EXPECT_THAT(change([](auto& columns) { columns[2].format = "z"; }), HasSubstr("arrow.type: kind: "));
  EXPECT_EQ(change([](auto& columns) { columns.erase(columns.begin() + 1); }), "100.25 true null") << "b may be absent";
}

TEST_F(EmbeddedScorerTest, LeavesOutColumnsThatAreNoInputs) {
  auto made = Rows({0.25}, {0}, {"x"});
  made.children.push_back(Values<int32_t>("z", {0, 0}, "id"));
  made.children.back().length = 1;
  EXPECT_THAT(Score(made)[0], HasSubstr("arrow.unknown_column"));
  EXPECT_EQ(Score(made, {.columns = {.known = {"id"}}})[0], "0.25 false null");
  EXPECT_EQ(Score(made, {.columns = {.ignore_unknown = true}})[0], "0.25 false null");
}

TEST_F(EmbeddedScorerTest, RefusesWhatIsNoTable) {
  EXPECT_THAT(Score(Values<double>("g", {1}))[0], HasSubstr("arrow.malformed"));
  auto short_of_children = Rows({0.25}, {0}, {"x"});
  short_of_children.length = -1;
  EXPECT_THAT(Score(short_of_children)[0], HasSubstr("arrow.malformed"));
  auto with_null = Rows({0.25, 0.5}, {0, 0}, {"x", "x"});
  with_null.buffers[0] = Bits({1, 0});
  with_null.null_count = 1;
  EXPECT_THAT(Score(with_null)[0], HasSubstr("a row is null as a whole"));
}

TEST_F(EmbeddedScorerTest, AnswersATableWithoutRows) {
  EXPECT_TRUE(Score(Rows({}, {}, {})).empty());
}

TEST_F(EmbeddedScorerTest, DescribesItsContract) {
  const auto contract = base::ParseJson(scorer_->description());
  ASSERT_TRUE(contract.has_value());
  EXPECT_EQ(contract->Find("name")->string(), "sum");
  EXPECT_EQ(base::ToJson(*contract->Find("columns")),
            "[{\"name\":\"p\",\"type\":\"float32\",\"lists\":0},{\"name\":\"high\",\"type\":\"bool\",\"lists\":0},"
            "{\"name\":\"error\",\"type\":\"utf8\",\"lists\":0}]");
}

}  // namespace
}  // namespace slipway::embed
