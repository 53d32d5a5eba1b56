#include "engine/isolated/misbehaving_child_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/child_process.h"
#include "engine/isolated/host.h"
#include "engine/isolated/lane_memory.h"
#include "engine/isolated/lane_socket.h"
#include "engine/isolated/model_hello.h"
#include "engine/isolated/supervisor.h"

namespace slipway::engine::isolated {
namespace {

/// Ends a process by default, and is no signal that sanitizers take for themselves.
constexpr int kCrash = SIGUSR1;

void Answer(std::vector<int64_t> shape, const std::vector<float>& values, Tensor& out) {
  out.type = ElementType::kFloat32;
  out.shape = std::move(shape);
  out.data.resize(values.size() * sizeof(float));
  std::copy_n(reinterpret_cast<const std::byte*>(values.data()), out.data.size(), out.data.begin());
}

/// Doubles one row of numbers, with texts of the same rows handed through.
class DeedSession final : public Session {
 public:
  base::Result<void> Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                         const base::Deadline&) override {
    const auto* x = static_cast<const float*>(inputs[0].data);
    const auto rows = inputs[0].shape[0];
    outputs[1].type = ElementType::kString;
    outputs[1].shape = {0};
    outputs[1].strings.clear();
    switch (static_cast<Deed>(std::lround(x[0]))) {
      case Deed::kCrash:
        std::raise(kCrash);
        break;
      case Deed::kExit:
        ::_exit(3);
      case Deed::kHang:
        std::this_thread::sleep_for(std::chrono::hours(1));
        break;
      case Deed::kThrow:
        throw std::runtime_error("out of its depth");
      case Deed::kTakeMemory:
        while (true) kept_.push_back(std::string(size_t{1} << 20, 'x'));
      case Deed::kNaN:
        Answer({1}, {std::numeric_limits<float>::quiet_NaN()}, outputs[0]);
        return {};
      case Deed::kWrongShape:
        Answer({rows + 1, 2}, std::vector<float>(static_cast<size_t>(rows + 1) * 2), outputs[0]);
        return {};
      case Deed::kWrongSize:
        outputs[0].shape = {1 << 20};
        return {};
      case Deed::kLargeAnswer:
        Answer({10'000'000}, std::vector<float>(10'000'000, 0.5F), outputs[0]);
        return {};
      case Deed::kFail:
        return base::Fail(base::Code::kInternal, "engine.run", "it would not");
      default:
        break;
    }
    std::vector<float> doubled(x, x + rows);
    for (float& value : doubled) value *= 2;
    Answer({rows}, doubled, outputs[0]);
    outputs[1].shape = inputs[1].shape;
    outputs[1].strings.assign(inputs[1].strings, inputs[1].strings + rows);
    return {};
  }

 private:
  std::vector<std::string> kept_;
};

ModelInfo DeedModel() {
  ModelInfo info;
  info.engine = "deeds";
  info.inputs = {{.name = "x", .type = ElementType::kFloat32, .shape = {-1}, .dimension_names = {}, .labels = {}},
                 {.name = "t", .type = ElementType::kString, .shape = {-1}, .dimension_names = {}, .labels = {}}};
  info.outputs = {{.name = "y", .type = ElementType::kFloat32, .shape = {-1}, .dimension_names = {}, .labels = {}},
                  {.name = "u", .type = ElementType::kString, .shape = {-1}, .dimension_names = {}, .labels = {}}};
  return info;
}

/// How often this was asked before.
int Times(const std::string& folder) {
  const std::string name = folder + "/starts";
  int before = 0;
  std::ifstream(name) >> before;
  std::ofstream(name) << before + 1;
  return before;
}

base::Result<HostedModel> LoadDeeds(const std::string& how, int before) {
  if (how == "crash-at-load" || (how == "once" && before > 0)) std::raise(kCrash);
  if (how == "refuse")
    return base::Fail(base::Code::kInvalidArgument, "engine.model", "unknown operator", "model.onnx");
  ModelInfo info = DeedModel();
  if (how == "change") info.inputs[0].name += std::to_string(before);
  return HostedModel{std::move(info), [] { return std::make_unique<DeedSession>(); }};
}

/// Says that it has a model, takes one lane and one run, and answers in its own way.
void Converse(const std::string& how) {
  base::WriteAll(base::kChildReport, WriteHello(DeedModel()));
  char byte = 0;
  if (how == "talk") SendMessage(kChildControl, "x", 1);
  const Received lane = ReceiveMessage(kChildControl, &byte, 1, true);
  Signal signal;
  Received memory = ReceiveMessage(lane.descriptor.get(), &signal, sizeof(signal), true);
  ReceiveMessage(lane.descriptor.get(), &signal, sizeof(signal), true);
  signal.kind = Signal::kAnswer;
  signal.table_bytes = 8;
  size_t bytes = sizeof(signal);
  if (how == "cut") bytes = 5;
  if (how == "wrong-sequence") ++signal.sequence;
  if (how == "wrong-kind") signal.kind = Signal::kRun;
  if (how == "far-table") signal.at = uint64_t{1} << 40;
  if (how == "huge-need") signal = {.kind = Signal::kTooSmall, .sequence = signal.sequence, .at = uint64_t{1} << 62};
  if (how == "end-in-answer") ::_exit(9);
  SendMessage(lane.descriptor.get(), &signal, bytes);
  ReceiveMessage(kChildControl, &byte, 1, true);
}

/// Played by the child alone.
TEST(Child, DISABLED_Plays) {
  const std::string how = std::getenv("SLIPWAY_CHILD"), folder = std::getenv("SLIPWAY_CHILD_FOLDER");
  std::istringstream text(std::getenv("SLIPWAY_CHILD_WORDS"));
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  ASSERT_EQ(words[0], kIsolatedCommand);
  const int before = Times(folder);
  if (how == "silence") std::this_thread::sleep_for(std::chrono::hours(1));
  if (how == "babble") base::WriteAll(base::kChildReport, "hello, world\n");
  const bool hosts = how == "model" || how == "crash-at-load" || how == "refuse" || how == "once" || how == "change";
  if (!hosts) Converse(how);
  ::_exit(HostEngine(std::span(pointers).subspan(1),
                     [&](const bundle::Bundle&, const EngineOptions&) { return LoadDeeds(how, before); }));
}

}  // namespace

std::string ChildScript(std::string_view how, const std::string& folder) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").string();
  return fmt::format(
      "#!/bin/sh\nSLIPWAY_CHILD={} SLIPWAY_CHILD_FOLDER='{}' SLIPWAY_CHILD_WORDS=\"$*\" exec '{}' "
      "--gtest_filter=Child.DISABLED_Plays --gtest_also_run_disabled_tests\n",
      how, folder, program);
}

}  // namespace slipway::engine::isolated
