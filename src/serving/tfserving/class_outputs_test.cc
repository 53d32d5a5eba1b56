#include "serving/tfserving/class_outputs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace slipway::serving::tfserving {
namespace {

using data::Field;
using data::ScalarType;
using Kind = ClassOutputs::Kind;

Field Make(std::string name, ScalarType type, std::vector<int64_t> shape = {}, std::vector<std::string> labels = {}) {
  Field field;
  field.name = std::move(name);
  field.type = {type, std::move(shape)};
  field.labels = std::move(labels);
  return field;
}

const Field kLabel = Make("label", ScalarType::kInteger);
const Field kScore = Make("score", ScalarType::kNumber);
const Field kVector = Make("p", ScalarType::kNumber, {2});
const Field kLabelled = Make("q", ScalarType::kNumber, {2}, {"no", "yes"});

std::string Classes(const std::vector<Field>& fields, const data::Table& table) {
  std::string out;
  AppendClasses(FindClasses(fields).value(), fields, table, 0, out);
  return out;
}

data::Table Row(const std::vector<Field>& fields, const std::vector<std::vector<double>>& values) {
  data::Table table = data::Table::Make(fields);
  for (size_t i = 0; i < fields.size(); ++i) {
    auto& column = table.columns[i];
    for (const double value : values[i]) {
      if (fields[i].type.scalar == ScalarType::kInteger) column.PushInteger(static_cast<int64_t>(value));
      if (fields[i].type.scalar == ScalarType::kNumber) column.PushNumber(value);
      if (fields[i].type.scalar == ScalarType::kString)
        column.PushString("t" + std::to_string(static_cast<int>(value)));
    }
    column.CloseRow();
  }
  table.rows = 1;
  return table;
}

TEST(ClassOutputs, PreferLabelledVectors) {
  const std::vector<Field> fields = {kLabel, kScore, kVector, kLabelled};
  EXPECT_EQ(Classes(fields, Row(fields, {{1}, {0.5}, {0.1, 0.9}, {0.25, NAN}})), R"([["no",0.25],["yes",NaN]])");
}

TEST(ClassOutputs, TakeTheTopWithItsScores) {
  const std::vector<Field> fields = {kVector, Make("best", ScalarType::kString, {2}),
                                     Make("best_scores", ScalarType::kNumber, {2})};
  EXPECT_EQ(Classes(fields, Row(fields, {{0.1, 0.9}, {7, 8}, {0.75, 0.5}})), R"([["t7",0.75],["t8",0.5]])");
}

TEST(ClassOutputs, NumberTheElementsOfPlainVectors) {
  const std::vector<Field> fields = {kLabel, kVector};
  EXPECT_EQ(Classes(fields, Row(fields, {{1}, {0.25, 0.75}})), R"([["0",0.25],["1",0.75]])");
}

TEST(ClassOutputs, PairALabelWithAScore) {
  const std::vector<Field> fields = {kScore, kLabel, Make("name", ScalarType::kString)};
  EXPECT_EQ(Classes(fields, Row(fields, {{0.5}, {3}, {4}})), R"([["t4",0.5]])");
  const std::vector<Field> numbered = {kScore, kLabel};
  EXPECT_EQ(Classes(numbered, Row(numbered, {{0.5}, {3}})), R"([["3",0.5]])");
}

TEST(ClassOutputs, WriteNullClassesAndScores) {
  const std::vector<Field> fields = {kScore, Make("name", ScalarType::kString)};
  data::Table table = data::Table::Make(fields);
  table.columns[0].AppendNull();
  table.columns[1].AppendNull();
  table.rows = 1;
  EXPECT_EQ(Classes(fields, table), R"([["",null]])");
}

TEST(ClassOutputs, AreMissingWhereOnlyOneKindIs) {
  EXPECT_FALSE(FindClasses({kScore}));
  EXPECT_FALSE(FindClasses({kLabel}));
  EXPECT_FALSE(FindClasses({Make("m", ScalarType::kNumber, {2, 2}), Make("v", ScalarType::kNumber, {-1})}));
}

TEST(ValueOutput, IsTheFirstNumberElseTheFirstInteger) {
  EXPECT_EQ(FindValue({kLabel, kVector, kScore}), 2u);
  EXPECT_EQ(FindValue({kVector, kLabel}), 1u);
  EXPECT_FALSE(FindValue({kVector, Make("name", ScalarType::kString)}));
}

}  // namespace
}  // namespace slipway::serving::tfserving
