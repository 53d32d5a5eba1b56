#include "tests/conformance/models/bare_loop.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/onnx/element.h"
#include "engine/onnx/runtime.h"

namespace slipway::conformance {

namespace {

void Must(OrtStatus* status) {
  if (status == nullptr) return;
  std::fprintf(stderr, "bare loop: %s\n", engine::onnx::TakeMessage(status).c_str());
  std::abort();
}

}  // namespace

struct BareLoop::State {
  const engine::onnx::Runtime& runtime = **engine::onnx::Runtime::Get();
  const OrtApi& api = runtime.api();
  OrtSession* session = nullptr;
  std::vector<const char*> input_names, output_names;
  std::vector<std::vector<std::byte>> buffers;
  std::vector<OrtValue*> inputs, outputs;
};

BareLoop::BareLoop(const std::string& model) : state_(std::make_unique<State>()) {
  State& state = *state_;
  OrtSessionOptions* options = nullptr;
  Must(state.api.CreateSessionOptions(&options));
  Must(state.api.SetIntraOpNumThreads(options, 1));
  Must(state.api.SetInterOpNumThreads(options, 1));
  Must(state.api.CreateSessionFromArray(state.runtime.env(), model.data(), model.size(), options, &state.session));
  state.api.ReleaseSessionOptions(options);
  OrtAllocator* allocator = nullptr;
  Must(state.api.GetAllocatorWithDefaultOptions(&allocator));
  size_t inputs = 0, outputs = 0;
  Must(state.api.SessionGetInputCount(state.session, &inputs));
  Must(state.api.SessionGetOutputCount(state.session, &outputs));
  state.outputs.assign(outputs, nullptr);
  for (size_t i = 0; i < inputs + outputs; ++i) {
    char* name = nullptr;
    Must(i < inputs ? state.api.SessionGetInputName(state.session, i, allocator, &name)
                    : state.api.SessionGetOutputName(state.session, i - inputs, allocator, &name));
    (i < inputs ? state.input_names : state.output_names).push_back(name);  // kept for the life of the program
  }
}

BareLoop::~BareLoop() = default;

void BareLoop::Run(const std::vector<engine::TensorView>& inputs) {
  State& state = *state_;
  if (state.inputs.empty()) {
    for (const engine::TensorView& view : inputs) {
      size_t bytes = engine::ElementSize(view.type);
      for (int64_t size : view.shape) bytes *= static_cast<size_t>(size);
      state.buffers.emplace_back(bytes);
      state.inputs.push_back(nullptr);
      Must(state.api.CreateTensorWithDataAsOrtValue(
          state.runtime.memory(), state.buffers.back().data(), bytes, view.shape.data(), view.shape.size(),
          static_cast<ONNXTensorElementDataType>(engine::onnx::ToOnnx(view.type)), &state.inputs.back()));
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::memcpy(state.buffers[i].data(), inputs[i].data, state.buffers[i].size());
  }
  // The first run allocates the outputs, the others write into them.
  Must(state.api.Run(state.session, nullptr, state.input_names.data(), state.inputs.data(), state.inputs.size(),
                     state.output_names.data(), state.output_names.size(), state.outputs.data()));
}

}  // namespace slipway::conformance
