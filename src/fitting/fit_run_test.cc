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

base::Result<FitRun> Fit(const std::string& yaml, std::string_view csv) {
  SLIPWAY_ASSIGN(auto manifest, bundle::ParseManifest(std::string(kHead) + yaml + kModel));
  SLIPWAY_ASSIGN(auto run, FitRun::Create(manifest));
  for (bool more = true; more;) {
    data::CsvRowDecoder decoder(run.layout());
    data::Decoded rows(run.layout());
    SLIPWAY_TRY(decoder.Feed(csv, rows));
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
