#include "fitting/fit_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "data/csv_rows.h"

namespace slipway::fitting {
namespace {

using ::testing::HasSubstr;

constexpr char kHead[] = "slipway: 1\nname: t\nversion: 1.0.0\n";
constexpr char kModel[] = "model: {engine: onnx, file: model.onnx}\n";

// `block`: bytes fed at a time.
base::Result<FitRun> Fit(const std::string& yaml, std::string_view csv, size_t block = std::string_view::npos) {
  SLIPWAY_ASSIGN(auto manifest, bundle::ParseManifest(std::string(kHead) + yaml + kModel));
  SLIPWAY_ASSIGN(auto run, FitRun::Create(manifest));
  for (bool more = true; more;) {
    data::CsvRowDecoder decoder(run.layout());
    data::Decoded rows(run.layout());
    for (std::string_view rest = csv; !rest.empty(); rest.remove_prefix(std::min(block, rest.size()))) {
      rows.Clear();
      SLIPWAY_TRY(decoder.Feed(rest.substr(0, block), rows));
      SLIPWAY_TRY(run.Add(rows));
    }
    rows.Clear();
    SLIPWAY_TRY(decoder.Finish(rows));
    SLIPWAY_TRY(run.Add(rows));
    SLIPWAY_ASSIGN(more, run.EndPass());
  }
  return run;
}

TEST(FitRun, LearnsWhatColumnsImpute) {
  auto run =
      Fit("inputs:\n  a: {type: number, missing: impute}\n  n: {type: integer, missing: impute}\n  s: {type: string, "
          "missing: impute}\n",
          "a,n,s\n1,4,x\n,4,y\n4,,y\n10,9,\n");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(base::ToJson(*run->Fitted().Find("columns")), R"({"a":4.0,"n":4,"s":"y"})");
}

TEST(FitRun, RejectedRowsTeachNothing) {
  auto run = Fit("inputs: {a: {type: number, min: 0}}\nfeatures: [{as: z, standardize: a}]\n", "a\n1\n-1000\n3\n");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(run->counts().rejected, 1);
  EXPECT_THAT(base::ToJson(run->Fitted()), HasSubstr("2.0"));
  EXPECT_EQ(run->counts().examples.size(), 1U);
}

TEST(FitRun, TheTargetMayBeTextOfTrueAndFalse) {
  auto run =
      Fit("target: y\ninputs: {c: {type: string}}\nfeatures: [{as: r, target_encode: c, smoothing: 0, folds: 2}]\n",
          "c,y\na,true\na,false\nb,true\nb,true\n");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_THAT(base::ToJson(run->Fitted()), HasSubstr("0.5"));
}

TEST(FitRun, ATargetOfClassNamesIsNotCountedAsMissing) {
  auto run = Fit("target: y\ninputs: {a: {type: number}}\n", "a,y\n1,late\n2,\n3,NA\n4,on time\n");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(run->counts().without_target, 2);
}

TEST(FitRun, AMissingTargetMayBeWrittenAsNA) {
  auto run = Fit("target: y\ninputs: {c: {type: string}}\nfeatures: [{as: r, target_encode: c, folds: 2}]\n",
                 "c,y\na,1\na,NA\nb,0\nb,2\n");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(run->counts().without_target, 1);
}

TEST(FitRun, ATargetOfOtherTextIsNamed) {
  auto run =
      Fit("target: y\ninputs: {c: {type: string}}\nfeatures: [{as: r, target_encode: c}]\n", "c,y\na,late\nb,late\n");
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().Text(), HasSubstr("\"late\""));
}

TEST(FitRun, AnEmptyTextIsAMissingTarget) {
  auto run =
      Fit("target: y\ninputs: {c: {type: string}}\nfeatures: [{as: r, target_encode: c, smoothing: 0, folds: 2}]\n",
          "c,y\na,\"1\"\na,\"\"\nb,\nb,\"0\"\n");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(run->counts().without_target, 2);
}

TEST(FitRun, ATableThatBreaksTheSchemaThroughoutIsAnError) {
  auto run = Fit("inputs: {a: {type: number, min: 0}}\n", "a\n-1\n-2\n");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().reason, "fit.no_rows");
}

// The member of the baseline at a path such as "columns/a/nulls", as JSON; empty when there is none.
std::string At(const base::Value& baseline, std::string_view path) {
  const base::Value* value = &baseline;
  while (!path.empty() && value != nullptr) {
    const size_t end = std::min(path.find('/'), path.size());
    value = value->Find(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return value ? base::ToJson(*value) : "";
}

base::Value BaselineOf(const std::string& yaml, std::string_view csv) {
  auto run = Fit(yaml, csv);
  EXPECT_TRUE(run) << run.error().Text();
  return run ? run->Baseline() : base::Value();
}

TEST(FitRun, TheBaselineDescribesWhatServingComputes) {
  // In training, each of the two folds would get the other's mean.
  const auto baseline = BaselineOf(
      "target: y\ninputs: {c: string, x: {type: number, missing: impute}}\n"
      "features:\n  - {as: rate, target_encode: c, smoothing: 0, folds: 2}\n  - {as: z, standardize: x}\n"
      "  - {as: h, expr: 'x * 2', hidden: true}\n  - {as: from_hidden, expr: 'h + 1'}\n  - {as: c, one_hot: c}\n",
      "c,x,y\na,1,1\na,3,0\na,,1\na,5,0\nb,3,1\nb,3,1\n");
  EXPECT_EQ(At(baseline, "features/rate/edges"), "[0.5]");
  EXPECT_EQ(At(baseline, "features/rate/max"), "1.0");
  EXPECT_EQ(At(baseline, "features/rate/counts"), "[4,2]");
  EXPECT_EQ(At(baseline, "features/h"), "");
  EXPECT_EQ(At(baseline, "features/from_hidden/counts"), "[1,4,1]");
  EXPECT_EQ(At(baseline, "features/c/type"), "\"number[2]\"");
  EXPECT_EQ(At(baseline, "features/c/elements/c=a/counts"), "[2,4]");
  EXPECT_EQ(At(baseline, "features/c/elements/c=a/edges"), "[0.0]");
  EXPECT_EQ(At(baseline, "features/z/nulls"), "0") << "the missing value was imputed";
  EXPECT_EQ(At(baseline, "columns/x/nulls"), "1") << "and counts as missing in its column";
  EXPECT_EQ(At(baseline, "columns/x/counts"), "[1,3,1]");
  EXPECT_EQ(At(baseline, "columns/x/mean"), "3.0");
  EXPECT_EQ(At(baseline, "target"),
            R"({"name":"y","type":"number","rows":6,"nulls":0,"min":0.0,"max":1.0,"mean":0.6666666666666666,)"
            R"("std":0.4714045207910317,"edges":[0.0],"counts":[2,4]})");
}

TEST(FitRun, TheBaselineLeavesRejectedRowsOut) {
  const auto baseline = BaselineOf(
      "target: y\ninputs: {a: {type: number, min: 0, missing: impute}, c: string}\nfeatures: [{as: f, expr: a}]\n",
      "a,c,y\n1,x,p\n-5,x,p\n,x,q\n2,,q\n3,z,\n");
  EXPECT_EQ(At(baseline, "rows"), "3");
  EXPECT_EQ(At(baseline, "columns/a/nulls"), "1");
  EXPECT_EQ(At(baseline, "columns/a/counts"), "[1,1]");
  EXPECT_EQ(At(baseline, "columns/c/values"), R"({"x":2,"z":1})");
  EXPECT_EQ(At(baseline, "features/f/rows"), "3");
  EXPECT_EQ(At(baseline, "target"),
            R"({"name":"y","type":"string","rows":3,"nulls":1,"values":{"p":1,"q":1},"other":0})");
}

TEST(FitRun, TheBaselineSumsUpWideFeaturesAndDescribesTensors) {
  const auto baseline = BaselineOf(
      "inputs: {t: string, g: 'number[2,2]', v: 'number[?]'}\n"
      "features: [{as: h, hash: t, buckets: 128}, {as: n, expr: 'length(t)'}]\n",
      "t,g,v\na,\"[[1,2],[3,4]]\",\"[1,2,3]\"\nbb,\"[[1,2],[3,5]]\",[]\n");
  EXPECT_EQ(At(baseline, "features/h/nonzero/counts"), "[2]");
  EXPECT_EQ(At(baseline, "features/h/groups/elements"), "2");
  EXPECT_EQ(At(baseline, "features/h/elements"), "");
  EXPECT_EQ(At(baseline, "columns/g/elements/g[1][1]/counts"), "[1,1]");
  EXPECT_EQ(At(baseline, "columns/v/length/max"), "3.0");
  EXPECT_EQ(At(baseline, "columns/v/sum/max"), "6.0");
  EXPECT_EQ(At(baseline, "columns/v/groups"), "");
}

TEST(FitRun, TheBaselineTellsNoPersonalText) {
  const auto baseline = BaselineOf(
      "inputs: {mail: {type: string, personal: true}}\n"
      "features: [{as: low, expr: 'lower(mail)'}, {as: again, expr: 'low'}, {as: n, expr: 'length(low)'}]\n",
      "mail\nme@home\nyou@home\n");
  EXPECT_THAT(base::ToJson(baseline), ::testing::Not(HasSubstr("home")));
  EXPECT_EQ(At(baseline, "features/again/rows"), "2");
  EXPECT_EQ(At(baseline, "features/n/counts"), "[1,1]");
}

TEST(FitRun, TheBaselineIsTheSameForAnyBatches) {
  std::string csv = "a,c\n";
  for (int i = 0; i < 3000; ++i) csv += std::to_string(i * 7919 % 3000) + ",k" + std::to_string(i % 7) + "\n";
  const std::string yaml = "inputs: {a: number, c: string}\nfeatures: [{as: z, standardize: a}, {as: c, one_hot: c}]\n";
  const auto whole = base::ToJson(Fit(yaml, csv)->Baseline());
  EXPECT_EQ(base::ToJson(Fit(yaml, csv, 100)->Baseline()), whole);
  EXPECT_EQ(base::ToJson(Fit(yaml, csv, 1)->Baseline()), whole);
}

TEST(FitRun, TheBaselineCountsEveryRow) {
  auto run = Fit("inputs: {a: {type: number, nullable: true}, c: {type: string}}\n", "a,c\n1,x\n2,x\n,y\n4,x\n");
  ASSERT_TRUE(run) << run.error().Text();
  const auto baseline = run->Baseline();
  const auto* a = baseline.Find("columns")->Find("a");
  EXPECT_EQ(a->Find("nulls")->integer(), 1);
  int64_t sum = 0;
  for (const auto& count : a->Find("counts")->list()) sum += count.integer();
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(base::ToJson(*baseline.Find("columns")->Find("c")->Find("values")), R"({"x":3,"y":1})");
}

}  // namespace
}  // namespace slipway::fitting
