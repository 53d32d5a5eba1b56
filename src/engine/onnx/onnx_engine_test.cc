#include "engine/onnx/onnx_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "engine/onnx/tiny_model.h"

namespace slipway::engine::onnx {
namespace {

/// A bundle of a folder whose manifest has `model` after the file.
class OnnxEngineOfABundle : public testing::Test {
 protected:
  base::Result<std::unique_ptr<Engine>> Load(const std::string& model) {
    const std::string yaml =
        "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: nets/model.onnx" + model + "}\n";
    const float weights[] = {3, 5};
    const std::string bytes = TinyModel()
                                  .Input("x", kFloat, {-1, 2})
                                  .Initializer(ExternalFloatTensor("w", {2}, "w.bin", "0", "8"))
                                  .Node("Mul", {"x", "w"}, {"y"})
                                  .Output("y", kFloat, {-1, 2})
                                  .Bytes();
    std::filesystem::create_directories(folder_->path() / "nets");
    SLIPWAY_TRY(base::WriteFileAtomically(folder_->path() / "nets/model.onnx", bytes));
    SLIPWAY_TRY(base::WriteFileAtomically(folder_->path() / "nets/w.bin", {reinterpret_cast<const char*>(weights), 8}));
    SLIPWAY_TRY(base::WriteFileAtomically(folder_->path() / "slipway.yaml", yaml));
    SLIPWAY_ASSIGN(const auto bundle, bundle::Bundle::Open(folder_->path()));
    return OnnxLoader(trial_)(bundle, {.threads = 2});
  }

  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::Create();
  BundleTrial trial_;
};

TEST_F(OnnxEngineOfABundle, ReadsItsModelAndItsExternalData) {
  const auto engine = Load("");

  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_EQ((*engine)->info().engine, "onnx");
  EXPECT_EQ((*engine)->info().exact_rows, 256);
  EXPECT_THAT((*engine)->info().external_files, testing::ElementsAre("nets/w.bin"));
}

TEST_F(OnnxEngineOfABundle, IsTriedWithItsExternalData) {
  std::vector<std::string> seen;
  trial_ = [&](const TrialTask& task) -> base::Result<void> {
    seen = task.external_files;
    seen.emplace_back(task.cause);
    seen.push_back(std::to_string(task.options.threads));
    return base::Fail(base::Code::kInvalidArgument, "engine.model", "crashed");
  };

  const auto engine = Load("");

  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().Text(), "nets/model.onnx: crashed");
  EXPECT_THAT(seen, testing::ElementsAre("nets/w.bin", "the weights in other files", "2"));
}

TEST_F(OnnxEngineOfABundle, TakesOptionsOfTheManifest) {
  const auto engine = Load(", threads: 2, batched: false, batching: relaxed");

  ASSERT_TRUE(engine) << engine.error().Text();
  EXPECT_FALSE((*engine)->info().batched);
}

}  // namespace
}  // namespace slipway::engine::onnx
