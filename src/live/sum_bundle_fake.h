#pragma once
// Bundles around a model that adds two numbers, for tests of whatever serves bundles.

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "scoring/engine_fake.h"

namespace slipway::live {

/// Writes bundles into a folder of its own, and knows the engine that runs them:
///   {"a": number >= 0, "b": number or null, "kind": x | y | z} -> {"sum": a + b, "large": sum >= 10}
/// A null counts as NaN. The hooks, when set, are called before each run, and before each load of a model.
class SumBundles {
 public:
  SumBundles() {
    engines_.Register("onnx", [this](const bundle::Bundle&, const engine::EngineOptions&) { return Open(); });
  }

  const engine::EngineTable& engines() const { return engines_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  /// A bundle folder; `more` is added to its manifest, `golden` is its golden.jsonl.
  std::filesystem::path Write(const std::string& name, const std::string& version, const std::string& more = "",
                              const std::string& golden = "") {
    return WriteManifest(name, version,
                         "inputs:\n"
                         "  a: {type: number, min: 0}\n"
                         "  b: {type: number, nullable: true}\n"
                         "  kind: {type: string, values: [x, y, z]}\n"
                         "model: {engine: onnx, file: model.onnx, input: [a, b]}\n"
                         "outputs:\n"
                         "  sum: \"sums\"\n"
                         "  large: {when: \"sum >= 10\"}\n" +
                             more,
                         golden);
  }
  /// A bundle whose schema are the model's own tensors: {"x": [number, number]} -> {"sums": number}, both float.
  std::filesystem::path WriteBare(const std::string& name, const std::string& version) {
    return WriteManifest(name, version, "model: {engine: onnx, file: model.onnx}\n", "");
  }
  /// A bundle with all but the head of its manifest given.
  std::filesystem::path WriteManifest(const std::string& name, const std::string& version, const std::string& rest,
                                      const std::string& golden = "") {
    const auto path = folder() / (name + "-" + version + "-" + std::to_string(written_++));
    std::filesystem::create_directory(path);
    Put(path / "slipway.yaml", "slipway: 1\nname: " + name + "\nversion: " + version + "\n" + rest);
    Put(path / "model.onnx", "fake");
    if (!golden.empty()) Put(path / "golden.jsonl", golden + "\n");
    return path;
  }

  std::function<base::Result<void>()> run_hook, load_hook;

 private:
  base::Result<std::unique_ptr<engine::Engine>> Open() {
    if (load_hook) SLIPWAY_TRY(load_hook());
    return std::make_unique<scoring::FakeEngine>(
        Info(), [this](std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs) {
          return Run(inputs, outputs);
        });
  }

  static void Put(const std::filesystem::path& path, const std::string& text) {
    if (!base::WriteFileAtomically(path, text)) std::abort();
  }

  static engine::ModelInfo Info() {
    engine::ModelInfo info;
    info.engine = "onnx";
    info.inputs.push_back({.name = "x", .type = engine::ElementType::kFloat32, .shape = {-1, 2}});
    info.outputs.push_back({.name = "sums", .type = engine::ElementType::kFloat32, .shape = {-1, 1}});
    info.exact_rows = 1024;
    return info;
  }

  base::Result<void> Run(std::span<const engine::TensorView> inputs, std::span<engine::Tensor> outputs) const {
    if (run_hook) SLIPWAY_TRY(run_hook());
    const auto* x = static_cast<const float*>(inputs[0].data);
    std::vector<float> sums;
    for (int64_t row = 0; row < inputs[0].shape[0]; ++row) sums.push_back(x[row * 2] + x[row * 2 + 1]);
    const int64_t rows = std::ssize(sums);
    scoring::Fill(outputs[0], {rows, 1}, sums);
    return {};
  }

  base::TemporaryFolder folder_ = *base::TemporaryFolder::Create();
  engine::EngineTable engines_;
  int written_ = 0;
};

}  // namespace slipway::live
