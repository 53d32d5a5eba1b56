#pragma once
// Scorers of a model that adds up, for the tests of this room.

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "data/json_rows.h"
#include "scoring/answers.h"
#include "scoring/engine_fake.h"
#include "scoring/scorer.h"

namespace slipway::scoring {

inline constexpr char kHead[] = "slipway: 1\nname: sum\nversion: 1.0.0\n";
inline constexpr char kInputs[] =
    "inputs:\n"
    "  a: {type: number, min: 0}\n"
    "  b: {type: number, nullable: true}\n"
    "  kind: {type: string, values: [x, y]}\n";
inline constexpr char kModel[] = "model: {engine: onnx, file: model.onnx, input: [a, b]}\n";

/// probabilities = [1 - s, s] with s = the sum of a row's inputs, NaN counting as 100.
inline engine::ModelInfo SumModel() {
  engine::ModelInfo info;
  info.engine = "onnx";
  info.inputs.push_back({.name = "x", .type = engine::ElementType::kFloat32, .shape = {-1, 2}});
  info.outputs.push_back({.name = "probabilities", .type = engine::ElementType::kFloat32, .shape = {-1, 2}});
  info.exact_rows = 4;
  return info;
}

inline base::Result<void> RunSum(std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs) {
  const auto* x = static_cast<const float*>(inputs[0].data);
  std::vector<float> out;
  for (int64_t row = 0; row < inputs[0].shape[0]; ++row) {
    float sum = 0;
    for (int64_t i = 0; i < 2; ++i) sum += x[row * 2 + i] == x[row * 2 + i] ? x[row * 2 + i] : 100;
    out.push_back(1 - sum);
    out.push_back(sum);
  }
  Fill(outputs[0], {inputs[0].shape[0], 2}, out);
  return {};
}

class ScorerTest : public ::testing::Test {
 protected:
  base::Result<std::shared_ptr<const Scorer>> Make(const std::string& yaml) {
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / "slipway.yaml", yaml));
    EXPECT_TRUE(base::WriteFileAtomically(folder_.path() / "model.onnx", "fake"));
    SLIPWAY_ASSIGN(auto bundle, bundle::Bundle::Open(folder_.path()));
    engine::EngineTable engines;
    engines.Register(
        "onnx",
        [this](const bundle::Bundle&, const engine::EngineOptions&) -> base::Result<std::unique_ptr<engine::Engine>> {
          return std::make_unique<FakeEngine>(model_, run_);
        });
    return Scorer::Create(bundle, engines);
  }

  /// The answer lines of JSON lines.
  std::string Answer(const Scorer& scorer, std::string_view lines, const base::Deadline& deadline = {}) {
    data::JsonRowDecoder decoder(scorer.layout());
    data::Decoded rows(scorer.layout());
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      decoder.DecodeLine(lines.substr(0, end), rows);
      lines = end == std::string_view::npos ? "" : lines.substr(end + 1);
    }
    auto workspace = scorer.NewWorkspace();
    Scores scores;
    auto scored = scorer.Score(rows, *workspace, scores, deadline);
    if (!scored) return scored.error().reason;
    std::string out;
    AnswerWriter(scorer).AppendLines(scores, 0, out);
    return out;
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  engine::ModelInfo model_ = SumModel();
  FakeRun run_ = RunSum;
};

}  // namespace slipway::scoring
