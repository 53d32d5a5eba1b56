#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace slipway::engine {
namespace {

using testing::HasSubstr;

base::Result<bundle::Bundle> BundleWithEngine(const base::TemporaryFolder& folder, const std::string& engine) {
  SLIPWAY_TRY(base::WriteFileAtomically(folder.path() / "model.onnx", "model"));
  SLIPWAY_TRY(base::WriteFileAtomically(
      folder.path() / "slipway.yaml",
      "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: " + engine + ", file: model.onnx}\n"));
  return bundle::Bundle::Open(folder.path());
}

TEST(EngineTable, UnknownEngineNamesTheKnownOnes) {
  const auto folder = base::TemporaryFolder::Create();
  ASSERT_TRUE(folder);
  const auto bundle = BundleWithEngine(*folder, "onx");
  ASSERT_TRUE(bundle) << bundle.error().Text();
  EngineTable table;
  table.Register("onnx", [](const bundle::Bundle&, const EngineOptions&) -> base::Result<std::unique_ptr<Engine>> {
    return base::Fail(base::Code::kInternal, "test", "not meant to be called");
  });

  const auto engine = table.Load(*bundle, {});

  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().reason, "engine.unknown");
  EXPECT_THAT(engine.error().message, HasSubstr("did you mean \"onnx\""));
}

TEST(TensorSpec, RowShapeLeavesOutTheBatch) {
  TensorSpec spec;
  spec.shape = {-1, 3, 4};

  EXPECT_EQ(spec.RowShape(true), (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(spec.RowShape(false), (std::vector<int64_t>{-1, 3, 4}));
}

}  // namespace
}  // namespace slipway::engine
