// What every step promises: a row has the same bits alone and in a batch, and a warm workspace allocates nothing. The
// steps are those of the fuzzer's seeds, tests/fuzz/corpus/features_pipeline/, which have every kind
// (step_kinds_test.cc).

#include <filesystem>

#include "base/files.h"
#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

// The columns of the fuzzer (tests/fuzz/features_pipeline_fuzz.cc) with their kinds of values.
TestTable Rows() {
  TestTable table;
  table.Numbers("x", {0.5, -0.0, 1.5, kNull, -2, kNan, kInf, 40})
      .Numbers("h", {1e308, -1e308, kNull, 5e-324, 1, 1e200, -kInf, 0})
      .Integers("n", {0, 1, -1, 7, kNull, int64_t{1} << 62, 23, 24})
      .Texts("s", {"", "AA", "a b AA", kNull, "12.5", "\xC3\xA9t\xC3\xA9 AA", "a b", "\xFF"})
      .Booleans("b", {true, false, kNull, false, true, true, false, true})
      .Times("t", {"2013-01-31T08:15:00Z", "2012-02-29", kNull, "1969-12-31T23:59:59.5Z", "2100-12-31", "2013-06-30",
                   "2013-07-01T12:00:00+02:00", "0001-01-01"})
      .Vectors("v", 2, {0.25, 0, 0.25, 1, 0, 0, 3, -4, 0.5, 4, 1e308, 1e308, kInf, 6, kNan, 7});
  return table;
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  std::error_code missing;  // run from elsewhere than the checkout's root: step_kinds_test.cc fails then
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/features_pipeline", missing)) {
    if (base::ReadFile(entry.path()).value().starts_with("[")) seeds.push_back(entry.path().string());
  }
  std::ranges::sort(seeds);
  return seeds;
}

class PromisesTest : public testing::TestWithParam<std::string> {
 protected:
  PromisesTest() : steps_(base::ReadFile(GetParam()).value()) {}

  const std::string steps_;
  const TestTable table_ = Rows();
};

TEST_P(PromisesTest, ARowHasTheSameBitsAloneAndInABatch) {
  const auto fitted = Fit(table_, steps_, "b");
  ASSERT_TRUE(fitted) << fitted.error().Text();
  const std::string batch = Transform(table_, steps_, *fitted);
  ASSERT_THAT(batch, testing::Not(testing::HasSubstr("features.")));
  EXPECT_EQ(batch, TransformRowByRow(table_, steps_, *fitted));
}

TEST_P(PromisesTest, WhatIsLearnedDoesNotDependOnTheBatches) {
  EXPECT_EQ(Fit(table_, steps_, "b").value(), Fit(table_, steps_, "b", 3).value());
}

TEST_P(PromisesTest, AWarmWorkspaceAllocatesNothing) {
  const auto fitted = Fit(table_, steps_, "b");
  ASSERT_TRUE(fitted) << fitted.error().Text();
  const auto pipeline = Pipeline::Compile(table_.fields(), Steps(steps_), *fitted);
  ASSERT_TRUE(pipeline) << pipeline.error().Text();
  const std::vector<data::ColumnView> views = table_.views();
  const std::vector<int> shown = Shown(*pipeline);
  PipelineWorkspace workspace;
  pipeline->Run(views, 1, workspace);
  pipeline->Run(views, 8, workspace);
  std::vector<float> matrix(MatrixOf(*pipeline, 8, workspace).size());
  const int64_t before = AllocationsOfThisThread();
  pipeline->Run(views, 8, workspace);
  pipeline->WriteMatrix(shown, 8, workspace, matrix.data());
  pipeline->Run(views, 1, workspace);
  pipeline->WriteMatrix(shown, 1, workspace, matrix.data());
  EXPECT_EQ(AllocationsOfThisThread() - before, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PromisesTest, testing::ValuesIn(Seeds()),
                         [](const auto& info) { return std::filesystem::path(info.param).stem().string(); });

}  // namespace
}  // namespace slipway::features
