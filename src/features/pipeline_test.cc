#include "features/pipeline.h"

#include "features/pipeline_fixture.h"

namespace slipway::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestTable Flights() {
  TestTable table;
  table.Numbers("distance", {100, 300, kNull, 500})
      .Texts("carrier", {"UA", "AA", "UA", kNull})
      .Integers("hour", {0, 6, 12, 18});
  table.Booleans("late", {true, false, false, true});
  return table;
}

TEST(PipelineTest, LaterStepsReadEarlierFeatures) {
  const std::string steps =
      R"([{"as": "filled", "impute": "distance", "hidden": true}, {"as": "z", "standardize": "filled"}])";
  EXPECT_EQ(FitTransform(Flights(), steps), "-1.414213562373095 | 0 | 0 | 1.414213562373095");
}

TEST(PipelineTest, NullOfAColumnIsNanInTheMatrix) {
  EXPECT_EQ(FitTransform(Flights(), R"({"as": "d", "column": "distance"})"), "100 | 300 | nan | 500");
}

TEST(PipelineTest, BooleansAndIntegersAreNumbersInTheMatrix) {
  EXPECT_EQ(FitTransform(Flights(), R"([{"as": "l", "column": "late"}, {"as": "h", "column": "hour"}])"),
            "1 0 | 0 6 | 0 12 | 1 18");
}

TEST(PipelineTest, ALaterNameHidesAColumn) {
  const std::string steps =
      R"([{"as": "distance", "clip": "distance", "max": 200}, {"as": "twice", "expr": "distance * 2"}])";
  EXPECT_EQ(FitTransform(Flights(), steps), "100 200 | 200 400 | nan nan | 200 400");
}

TEST(PipelineTest, AnExpressionSeesTheMissingValueOfANumericStepAsNull) {
  const std::string steps =
      R"j([{"as": "c", "clip": "distance", "max": 200}, {"as": "e", "expr": "coalesce(c, -1.0)"}])j";
  EXPECT_EQ(FitTransform(Flights(), steps), "100 100 | 200 200 | nan -1 | 200 200");
}

TEST(PipelineTest, AListOfInputsYieldsOneColumnEach) {
  const std::string steps = R"({"as": "m", "min_max": ["distance", "hour"]})";
  EXPECT_EQ(FitTransform(Flights(), steps), "0 0 | 0.5 0.3333333333333333 | nan 0.6666666666666666 | 1 1");
  EXPECT_THAT(ColumnNames(Flights(), steps), ElementsAre("m.distance", "m.hour"));
}

TEST(PipelineTest, AFeatureOfSeveralColumnsIsReadColumnByColumn) {
  const std::string steps =
      R"([{"as": "c", "cyclical": "hour", "period": 24}, {"as": "r", "clip": "c", "min": 0, "max": 1}])";
  EXPECT_THAT(ColumnNames(Flights(), steps), ElementsAre("c.sin", "c.cos", "r.c.sin", "r.c.cos"));
}

TEST(PipelineTest, AVectorColumnIsReadElementByElement) {
  TestTable table;
  table.Vectors("v", 2, {1, 10, 3, 30});
  EXPECT_EQ(FitTransform(table, R"({"as": "m", "min_max": "v"})"), "0 0 | 1 1");
  EXPECT_THAT(ColumnNames(table, R"({"as": "m", "min_max": "v"})"), ElementsAre("m.v[0]", "m.v[1]"));
}

TEST(PipelineTest, AnExpressionIndexesAVectorColumn) {
  TestTable table;
  table.Vectors("v", 2, {1, 10, 3, 30});
  EXPECT_EQ(FitTransform(table, R"({"as": "s", "expr": "v[0] + v[1]"})"), "11 | 33");
}

TEST(PipelineTest, FindsFeaturesByName) {
  const auto pipeline = Pipeline::Compile(Flights().fields(), Steps(R"({"as": "d", "log1p": "distance"})"), {});
  EXPECT_EQ(pipeline->Find("d"), 0);
  EXPECT_EQ(pipeline->Find("e"), -1);
}

TEST(PipelineTest, FloatMatrixIsTheDoubleRoundedOnce) {
  const auto pipeline = Pipeline::Compile(Flights().fields(), Steps(R"({"as": "d", "log1p": "distance"})"), {});
  const TestTable table = Flights();
  PipelineWorkspace workspace;
  pipeline->Run(table.views(), 4, workspace);
  std::vector<float> matrix(4);
  pipeline->WriteMatrix(std::vector<int>{0}, 4, workspace, matrix.data());
  EXPECT_EQ(matrix[1], static_cast<float>(std::log1p(300.0)));
}

// ---- errors
// ----------------------------------------------------------------------------------------------------------

std::string CompileError(std::string_view steps, const base::Value& fitted = {}) {
  const auto pipeline = Pipeline::Compile(Flights().fields(), Steps(steps), fitted);
  return pipeline ? "compiled" : pipeline.error().reason + ": " + pipeline.error().message;
}

TEST(PipelineTest, UnknownStepNamesTheNearest) {
  EXPECT_THAT(CompileError(R"({"as": "z", "standardise": "distance"})"),
              StartsWith("features.unknown_step: there is no step `standardise` (did you mean \"standardize\"?)"));
}

TEST(PipelineTest, AClassOfScikitLearnIsAnsweredWithTheStep) {
  EXPECT_EQ(CompileError(R"({"as": "z", "StandardScaler": "distance"})"),
            "features.unknown_step: there is no step `StandardScaler`: what scikit-learn calls StandardScaler is "
            "`standardize` here");
}

// It said that no step is named.
TEST(PipelineTest, AnUnknownStepLikeNoOtherIsNamed) {
  EXPECT_THAT(CompileError(R"({"as": "z", "binarize": "distance"})"),
              StartsWith("features.unknown_step: there is no step `binarize`; the steps are column, expr"));
}

TEST(PipelineTest, UnknownParameterNamesTheNearest) {
  EXPECT_THAT(
      CompileError(R"({"as": "z", "standardize": "distance", "with_meen": true})"),
      StartsWith("features.unknown_parameter: standardize has no parameter `with_meen` (did you mean \"with_mean\"?)"));
}

TEST(PipelineTest, UnknownInputNamesTheNearest) {
  EXPECT_THAT(CompileError(R"({"as": "z", "standardize": "distence"})"), HasSubstr("did you mean \"distance\"?"));
}

TEST(PipelineTest, AStepReadsOnlyEarlierFeatures) {
  EXPECT_THAT(CompileError(R"([{"as": "a", "clip": "b", "min": 0}, {"as": "b", "clip": "distance", "min": 0}])"),
              StartsWith("features.unknown_input"));
}

TEST(PipelineTest, WrongTypeSaysWhatTurnsItIntoNumbers) {
  EXPECT_THAT(
      CompileError(R"({"as": "z", "standardize": "carrier"})"),
      AllOf(StartsWith("features.wrong_type"), HasSubstr("column \"carrier\" is string"), HasSubstr("one_hot")));
}

TEST(PipelineTest, TwoStepsOfOneNameAreRefused) {
  EXPECT_THAT(CompileError(R"([{"as": "a", "log1p": "hour"}, {"as": "a", "log1p": "hour"}])"),
              StartsWith("features.duplicate_name"));
}

TEST(PipelineTest, TwoKindsInOneStepAreRefused) {
  EXPECT_THAT(CompileError(R"({"as": "a", "log1p": "hour", "clip": "hour"})"), HasSubstr("make two steps"));
}

TEST(PipelineTest, ASwitchMayBeNamedAsAStep) {
  EXPECT_EQ(FitTransform(Flights(), R"({"as": "a", "clip": true, "min_max": "hour"})"),
            "0 | 0.3333333333333333 | 0.6666666666666666 | 1");
}

TEST(PipelineTest, AStepThatWasNotFittedSaysSo) {
  EXPECT_THAT(CompileError(R"({"as": "z", "standardize": "distance"})"),
              AllOf(StartsWith("features.not_fitted"), HasSubstr("slipway fit")));
}

TEST(PipelineTest, AStepFittedWithOtherParametersIsStale) {
  const auto fitted = Fit(Flights(), R"({"as": "z", "standardize": "distance"})");
  EXPECT_THAT(CompileError(R"({"as": "z", "standardize": "distance", "with_mean": false})", *fitted),
              AllOf(StartsWith("features.stale_fit: step z was fitted with other parameters"),
                    HasSubstr("run slipway fit again")));
}

TEST(PipelineTest, AStepWhoseInputChangedIsStale) {
  const auto fitted =
      Fit(Flights(), R"([{"as": "c", "clip": "distance", "max": 200}, {"as": "z", "standardize": "c"}])");
  EXPECT_THAT(
      CompileError(R"([{"as": "c", "clip": "distance", "max": 400}, {"as": "z", "standardize": "c"}])", *fitted),
      StartsWith("features.stale_fit"));
}

TEST(PipelineTest, WholeNumbersWrittenEitherWayAreTheSameSpec) {
  const auto fitted =
      Fit(Flights(), R"([{"as": "c", "clip": "distance", "max": 200}, {"as": "z", "standardize": "c"}])");
  EXPECT_EQ(CompileError(
                R"([{"as": "c", "max": 200.0, "clip": "distance", "hidden": true}, {"as": "z", "standardize": "c"}])",
                *fitted),
            "compiled");
}

TEST(PipelineTest, EditedFitIsRefused) {
  auto fitted = Fit(Flights(), R"({"as": "z", "standardize": "distance"})").value();
  base::Value entry = *fitted.Find("z");
  entry.Set("scale", "wide");
  fitted.Set("z", entry);
  EXPECT_THAT(CompileError(R"({"as": "z", "standardize": "distance"})", fitted), StartsWith("features.bad_fit"));
}

TEST(PipelineTest, ATimestampForTheModelIsRefused) {
  TestTable table;
  table.Times("at", {"2013-01-01"});
  const auto pipeline = Pipeline::Compile(table.fields(), Steps(R"({"as": "t", "column": "at"})"), {});
  EXPECT_THAT(pipeline.error().message, HasSubstr("use date_parts or elapsed"));
}

TEST(PipelineTest, ErrorsPointIntoTheManifest) {
  base::Value step = Steps(R"({"as": "z", "standardise": "distance"})")[0].written;
  step.set_position({14, 5});
  step.map()[1].second.set_position({14, 23});
  const std::vector<StepSpec> steps{{step}};
  EXPECT_EQ(Pipeline::Compile(Flights().fields(), steps, {}).error().where, "14:23");
}

TEST(PipelineTest, AWorkspaceServesSeveralPipelines) {
  const TestTable table = Flights();
  const auto first = Pipeline::Compile(table.fields(), Steps(R"({"as": "a", "log1p": "distance"})"), {});
  const auto second = Pipeline::Compile(
      table.fields(), Steps(R"([{"as": "b", "column": "hour"}, {"as": "c", "clip": "hour", "max": 1}])"), {});
  PipelineWorkspace workspace;
  first->Run(table.views(), 4, workspace);
  second->Run(table.views(), 4, workspace);
  EXPECT_EQ(Show(MatrixOf(*second, 4, workspace), 4), "0 0 | 6 1 | 12 1 | 18 1");
}

TEST(PipelineTest, ZeroRowsAreFine) {
  TestTable table;
  table.Numbers("x", {});
  EXPECT_EQ(Transform(table, R"({"as": "a", "log1p": "x"})", {}), "");
}

}  // namespace
}  // namespace slipway::features
