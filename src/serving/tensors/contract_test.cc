#include "serving/tensors/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "scoring/engine_fake.h"
#include "scoring/scorer.h"

namespace slipway::serving::tensors {
namespace {

using testing::ElementsAre;

/// A contract of a bundle around a fake model. `columns`: the manifest's inputs, of which the model reads x.
Contract ContractOfModel(engine::ModelInfo info, const std::string& columns = "") {
  const auto folder = *base::TemporaryFolder::Create();
  EXPECT_TRUE(base::WriteFileAtomically(folder.path() / "slipway.yaml",
                                        "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx" +
                                            (columns.empty() ? "}\n" : ", input: [x]}\ninputs:\n" + columns)));
  EXPECT_TRUE(base::WriteFileAtomically(folder.path() / "model.onnx", "fake"));
  engine::EngineTable engines;
  info.engine = "onnx";
  engines.Register("onnx", [&](const bundle::Bundle&, const engine::EngineOptions&) {
    return base::Result<std::unique_ptr<engine::Engine>>(
        std::make_unique<scoring::FakeEngine>(info, [](auto, auto) { return base::Result<void>(); }));
  });
  const auto bundle = bundle::Bundle::Open(folder.path());
  EXPECT_TRUE(bundle) << bundle.error().Text();
  const auto scorer = scoring::Scorer::Create(*bundle, engines, {.engine = {}, .warm_up = false});
  EXPECT_TRUE(scorer) << scorer.error().Text();
  return scorer ? Contract::Of(*(*scorer)->contract()) : Contract{};
}

engine::ModelInfo Model(std::vector<int64_t> input, std::vector<int64_t> output, bool batched = true) {
  engine::ModelInfo info;
  info.batched = batched;
  info.inputs.push_back({.name = "x", .type = engine::ElementType::kFloat32, .shape = std::move(input)});
  info.outputs.push_back({.name = "y", .type = engine::ElementType::kInt32, .shape = std::move(output)});
  return info;
}

TEST(Contract, ShowsTheModelsTensorsAsDeclared) {
  const Contract contract = ContractOfModel(Model({8, 3}, {8}));
  EXPECT_EQ(contract.inputs[0].datatype, Datatype::kFp32);
  EXPECT_THAT(contract.inputs[0].shape, ElementsAre(-1, 3));
  EXPECT_EQ(contract.outputs[0].datatype, Datatype::kInt32);
  EXPECT_THAT(contract.outputs[0].shape, ElementsAre(-1));
  EXPECT_EQ(contract.max_rows, 4096);
}

TEST(Contract, AModelWithoutBatchesTakesOneRow) {
  const Contract contract = ContractOfModel(Model({2, 3}, {5}, false));
  EXPECT_FALSE(contract.batched);
  EXPECT_EQ(contract.max_rows, 1);
  EXPECT_FALSE(contract.inputs[0].rows_first);
  EXPECT_THAT(contract.inputs[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(contract.outputs[0].shape, ElementsAre(5));
}

TEST(Contract, ShowsColumnsAndWhatTheyTake) {
  const Contract contract = ContractOfModel(Model({-1, 1}, {-1, 1}),
                                            "  x: {type: number}\n"
                                            "  gap: {type: number, nullable: true}\n"
                                            "  nan: {type: number, nullable: true, allow_non_finite: true}\n"
                                            "  at: {type: timestamp, optional: true}\n");
  EXPECT_THAT(contract.inputs[0].shape, ElementsAre(-1, 1));
  EXPECT_EQ(contract.inputs[0].datatype, Datatype::kFp64);
  EXPECT_FALSE(contract.inputs[0].nan_is_missing);
  EXPECT_TRUE(contract.inputs[1].nan_is_missing);
  EXPECT_FALSE(contract.inputs[2].nan_is_missing);
  EXPECT_EQ(contract.inputs[3].datatype, Datatype::kBytes);
  EXPECT_TRUE(contract.inputs[3].optional);
  EXPECT_FALSE(contract.inputs[0].optional);
}

TEST(Contract, WideRowsBoundTheirNumberByMemory) {
  EXPECT_EQ(ContractOfModel(Model({-1, 1'000'000}, {-1})).max_rows, 33);
}

}  // namespace
}  // namespace slipway::serving::tensors
