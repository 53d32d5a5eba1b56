#include "engine/onnx/onnx_session.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "engine/onnx/element.h"

namespace slipway::engine::onnx {

namespace {

constexpr size_t kSlots = 4;
/// Larger inputs are lent to ONNX Runtime instead of copied; smaller ones are cheaper to copy than to bind anew.
constexpr size_t kLendBytes = 32 << 10;

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (int64_t dimension : shape) {
    if (text.size() > 1) text += ",";
    text += dimension < 0 ? "?" : std::to_string(dimension);
  }
  return text + "]";
}

size_t Product(std::span<const int64_t> shape) {
  size_t product = 1;
  for (int64_t dimension : shape) product *= static_cast<size_t>(dimension);
  return product;
}

int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::unexpected<base::Error> RunFailure(const std::string& message) {
  if (TellsOfMemory(message)) {
    return base::Fail(base::Code::kResourceExhausted, "engine.memory",
                      "the model found too little memory for these inputs; send fewer rows or give the process more "
                      "memory; ONNX Runtime says: " +
                          message);
  }
  return base::Fail(base::Code::kInternal, "engine.run",
                    "the model failed on these inputs; ONNX Runtime says: " + message);
}

}  // namespace

OnnxSession::OnnxSession(std::shared_ptr<const LoadedModel> model)
    : model_(std::move(model)), api_(model_->runtime->api()) {
  for (const std::string& name : model_->input_names) input_names_.push_back(name.c_str());
  for (const std::string& name : model_->output_names) output_names_.push_back(name.c_str());
  if (model_->watch != nullptr) seat_ = std::make_unique<RunWatch::Seat>(*model_->watch);
}

base::Result<void> OnnxSession::Run(std::span<const TensorView> inputs, std::span<Tensor> outputs,
                                    const base::Deadline& deadline) {
  if (deadline.Stopped()) return base::Fail(base::Code::kCancelled, "engine.cancelled", "stopped before the model ran");
  if (deadline.Expired()) {
    return base::Fail(base::Code::kDeadlineExceeded, "engine.deadline", "the time was over before the model ran");
  }
  const ModelInfo& info = model_->info;
  if (inputs.size() != info.inputs.size() || outputs.size() != info.outputs.size()) {
    return base::Fail(base::Code::kInternal, "engine.input", "wrong number of inputs or outputs for this model");
  }
  SLIPWAY_ASSIGN(Slot * slot, FindSlot(inputs));
  for (size_t i = 0; i < inputs.size(); ++i) {
    SLIPWAY_TRY(Fill(inputs[i], *slot, slot->inputs[i]));
    slot->input_values[i] = slot->inputs[i].value.get();
  }
  SLIPWAY_TRY(Call(*slot, deadline));
  base::Result<void> taken;
  for (size_t i = 0; i < outputs.size() && taken; ++i) taken = Take(info.outputs[i], *slot, i, outputs[i]);
  return taken;
}

base::Result<void> OnnxSession::CheckInput(const TensorView& view, const TensorSpec& spec) const {
  const auto fail = [&](const std::string& what) {
    return base::Fail(base::Code::kInvalidArgument, "engine.input", what, base::Shorten(spec.name));
  };
  if (view.type != spec.type) {
    return fail("the model takes " + std::string(ElementTypeName(spec.type)) + ", given is " +
                std::string(ElementTypeName(view.type)));
  }
  bool fits = view.shape.size() == spec.shape.size();
  for (size_t i = 0; fits && i < view.shape.size(); ++i) {
    const bool rows = i == 0 && model_->info.batched;  // padded below when fixed
    fits = view.shape[i] >= 0 && (rows || spec.shape[i] < 0 || view.shape[i] == spec.shape[i]);
  }
  if (!fits) return fail("the model takes the shape " + ShapeText(spec.shape) + ", given is " + ShapeText(view.shape));
  return {};
}

base::Result<OnnxSession::Slot*> OnnxSession::FindSlot(std::span<const TensorView> inputs) {
  const auto matches = [&](const Slot& slot) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].type != model_->info.inputs[i].type || inputs[i].shape != slot.given[i]) return false;
    }
    return true;
  };
  if (last_ != nullptr && matches(*last_)) return last_;
  for (const auto& slot : slots_) {
    if (!matches(*slot)) continue;
    last_ = slot.get();
    last_->last_use = ++uses_;
    return last_;
  }
  for (size_t i = 0; i < inputs.size(); ++i) SLIPWAY_TRY(CheckInput(inputs[i], model_->info.inputs[i]));
  auto fresh = std::make_unique<Slot>();
  SLIPWAY_TRY(Bind(inputs, *fresh));
  if (slots_.size() == kSlots) {
    const auto oldest = std::ranges::min_element(slots_, {}, [](const auto& slot) { return slot->last_use; });
    slots_.erase(oldest);
  }
  slots_.push_back(std::move(fresh));
  last_ = slots_.back().get();
  last_->last_use = ++uses_;
  return last_;
}

base::Result<void> OnnxSession::Bind(std::span<const TensorView> inputs, Slot& slot) const {
  const ModelInfo& info = model_->info;
  if (info.batched) {
    slot.rows = inputs.empty() ? 0 : inputs[0].shape[0];
    for (const TensorView& view : inputs) {
      if (view.shape[0] == slot.rows && slot.rows > 0) continue;
      return base::Fail(base::Code::kInvalidArgument, "engine.input",
                        "inputs must have the same number of rows, at least one");
    }
    slot.run_rows = info.fixed_rows > 0 ? info.fixed_rows : RoundUp(slot.rows, model_->padding);
    if (slot.rows > slot.run_rows) {
      return base::Fail(base::Code::kInvalidArgument, "engine.input",
                        "the model was exported with a fixed batch: it takes " + std::to_string(info.fixed_rows) +
                            " rows a run, given are " + std::to_string(slot.rows));
    }
  }
  slot.inputs.resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    slot.given.push_back(inputs[i].shape);
    SLIPWAY_TRY(BindInput(inputs[i], slot, slot.inputs[i]));
  }
  slot.input_values.assign(inputs.size(), nullptr);
  slot.outputs.resize(info.outputs.size());
  slot.output_values.assign(info.outputs.size(), nullptr);
  return {};
}

base::Result<void> OnnxSession::BindInput(const TensorView& view, const Slot& slot, BoundInput& bound) const {
  bound.shape = view.shape;
  if (model_->info.batched) bound.shape[0] = slot.run_rows;
  bound.elements = Product(view.shape);
  const size_t size = ElementSize(view.type);
  bound.bytes = bound.elements * size;
  const size_t rows = static_cast<size_t>(std::max<int64_t>(slot.rows, 1));
  bound.row_bytes = view.type == ElementType::kString ? bound.elements / rows : bound.bytes / rows;
  if (view.type == ElementType::kString) return NewStrings(bound.shape, bound.value);
  bound.buffer.Resize(std::max<size_t>(Product(bound.shape) * size, 1));
  return Wrap(view.type, bound.shape, bound.buffer.data(), bound.value);
}

base::Result<void> OnnxSession::NewStrings(const std::vector<int64_t>& shape, Owned<OrtValue>& value) const {
  OrtAllocator* allocator = nullptr;
  SLIPWAY_TRY(Check(api_.GetAllocatorWithDefaultOptions(&allocator), "binding a tensor"));
  OrtValue* raw = nullptr;
  SLIPWAY_TRY(Check(
      api_.CreateTensorAsOrtValue(allocator, shape.data(), shape.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &raw),
      "binding a tensor"));
  value.reset(raw);
  return {};
}

base::Result<void> OnnxSession::Wrap(ElementType type, const std::vector<int64_t>& shape, void* data,
                                     Owned<OrtValue>& value) const {
  const auto element = static_cast<ONNXTensorElementDataType>(ToOnnx(type));
  OrtValue* raw = nullptr;
  SLIPWAY_TRY(
      Check(api_.CreateTensorWithDataAsOrtValue(model_->runtime->memory(), data, Product(shape) * ElementSize(type),
                                                shape.data(), shape.size(), element, &raw),
            "binding a tensor"));
  value.reset(raw);
  return {};
}

base::Result<void> OnnxSession::Fill(const TensorView& view, const Slot& slot, BoundInput& bound) const {
  if (view.type == ElementType::kString) return FillStrings(view, bound);
  if (bound.bytes == 0) return {};
  const bool aligned = reinterpret_cast<uintptr_t>(view.data) % 64 == 0;
  if (bound.bytes >= kLendBytes && slot.padded() == 0 && aligned) {
    if (bound.lent == view.data) return {};
    bound.lent = view.data;
    return Wrap(view.type, bound.shape, const_cast<void*>(view.data), bound.value);
  }
  if (bound.lent != nullptr) {
    bound.lent = nullptr;
    SLIPWAY_TRY(Wrap(view.type, bound.shape, bound.buffer.data(), bound.value));
  }
  std::memcpy(bound.buffer.data(), view.data, bound.bytes);
  // Rows that only fill up the run repeat the last one: any other value might be one the model refuses.
  const std::byte* last = bound.buffer.data() + bound.bytes - bound.row_bytes;
  for (int64_t i = 0; i < slot.padded(); ++i) {
    std::memcpy(bound.buffer.data() + bound.bytes + static_cast<size_t>(i) * bound.row_bytes, last, bound.row_bytes);
  }
  return {};
}

base::Result<void> OnnxSession::FillStrings(const TensorView& view, BoundInput& bound) const {
  const size_t all = Product(bound.shape);
  for (size_t i = 0; i < all; ++i) {
    const size_t from =
        i < bound.elements ? i : bound.elements - bound.row_bytes + (i - bound.elements) % bound.row_bytes;
    const std::string_view text = view.strings[from];
    char* target = nullptr;
    SLIPWAY_TRY(Check(api_.GetResizedStringTensorElementBuffer(bound.value.get(), i, text.size(), &target),
                      "filling a text input"));
    if (!text.empty()) std::memcpy(target, text.data(), text.size());
  }
  return {};
}

base::Result<void> OnnxSession::Call(Slot& slot, const base::Deadline& deadline) {
  const bool bounded = deadline.at != base::SteadyTime::max() || deadline.stop.stop_possible();
  return bounded && seat_ != nullptr ? CallWatched(slot, deadline) : CallNow(slot);
}

base::Result<void> OnnxSession::CallWatched(Slot& slot, const base::Deadline& deadline) {
  base::Result<void> called;
  bool ended = false, stopped = false;
  {
    const std::stop_callback on_stop(deadline.stop, [this] { seat_->EndRun(); });
    const bool timed = deadline.at != base::SteadyTime::max();
    if (timed) seat_->Begin(deadline);
    called = CallNow(slot);
    ended = timed && seat_->End();
    stopped = deadline.Stopped();
  }
  if (ended || stopped) seat_->Rearm();
  if (called || (!ended && !stopped)) return called;
  if (stopped) return base::Fail(base::Code::kCancelled, "engine.cancelled", "the model's run was stopped");
  return base::Fail(base::Code::kDeadlineExceeded, "engine.deadline",
                    "the model's run was ended because its time was over; send fewer rows or raise limits.timeout");
}

base::Result<void> OnnxSession::CallNow(Slot& slot) {
  for (size_t i = 0; i < slot.outputs.size(); ++i) slot.output_values[i] = slot.outputs[i].value.get();
  const OrtRunOptions* options = seat_ != nullptr ? seat_->options() : nullptr;
  const auto run = [&] {
    return api_.Run(model_->session.get(), options, input_names_.data(), slot.input_values.data(), input_names_.size(),
                    output_names_.data(), output_names_.size(), slot.output_values.data());
  };
  OrtStatus* status = run();
  if (status == nullptr) return {};
  const std::string message = TakeMessage(status);
  const bool bound =
      std::ranges::any_of(slot.outputs, [](const BoundOutput& output) { return output.value != nullptr; });
  if (bound) {
    // Outputs cannot be bound ahead when their shape depends on the values, or the model declares a wrong one.
    std::ranges::fill(slot.output_values, nullptr);
    status = run();
    if (status == nullptr) {
      preset_ = false;
      for (const auto& other : slots_) {
        for (BoundOutput& output : other->outputs) output.value.reset();
      }
      return {};
    }
    api_.ReleaseStatus(status);
  }
  return RunFailure(message);
}

base::Result<void> OnnxSession::Take(const TensorSpec& spec, Slot& slot, size_t index, Tensor& out) {
  BoundOutput& bound = slot.outputs[index];
  OrtValue* value = slot.output_values[index];
  const Owned<OrtValue> fresh(value == bound.value.get() ? nullptr : value);
  out.type = spec.type;
  if (value == nullptr)
    return base::Fail(base::Code::kInternal, "engine.run", "the model left an output empty: " + spec.name);
  ONNXType kind = ONNX_TYPE_TENSOR;
  if (spec.kind == TensorSpec::Kind::kMaps) SLIPWAY_TRY(Check(api_.GetValueType(value, &kind), "reading an output"));
  if (kind == ONNX_TYPE_SEQUENCE) {
    SLIPWAY_TRY(TakeMaps(*model_->runtime, value, spec, out));
    if (!out.shape.empty() && out.shape[0] == slot.run_rows && slot.padded() > 0) {
      out.shape[0] = slot.rows;
      out.data.resize(static_cast<size_t>(out.elements()) * sizeof(float));
    }
    return {};
  }
  SLIPWAY_TRY(TakeTensor(slot, index, value, out));
  if (spec.kind == TensorSpec::Kind::kMaps) {
    if (out.shape.size() == 1) out.shape.insert(out.shape.begin(), 1);  // ZipMap takes a vector for one row
    const auto labels = static_cast<int64_t>(spec.labels.size());
    if (out.shape.size() != 2 || out.shape[1] != labels) {
      return base::Fail(
          base::Code::kInternal, "engine.run",
          "this output has another number of values than labels (" + std::to_string(labels) + "): " + spec.name);
    }
  }
  return {};
}

base::Result<void> OnnxSession::TakeTensor(Slot& slot, size_t index, OrtValue* value, Tensor& out) {
  BoundOutput& bound = slot.outputs[index];
  if (value != bound.value.get()) {
    OrtTensorTypeAndShapeInfo* raw = nullptr;
    SLIPWAY_TRY(Check(api_.GetTensorTypeAndShape(value, &raw), "reading an output"));
    const Owned<OrtTensorTypeAndShapeInfo> info(raw);
    size_t rank = 0;
    SLIPWAY_TRY(Check(api_.GetDimensionsCount(info.get(), &rank), "reading an output"));
    bound.shape.resize(rank);
    SLIPWAY_TRY(Check(api_.GetDimensions(info.get(), bound.shape.data(), rank), "reading an output"));
    bound.bytes = Product(bound.shape) * ElementSize(out.type);
  }
  const bool sideways = model_->output_sideways[index] && bound.shape.size() == 2 && bound.shape[0] == 1;
  out.shape.assign(bound.shape.begin() + (sideways ? 1 : 0), bound.shape.end());
  const bool cut = slot.padded() > 0 && !out.shape.empty() && out.shape[0] == slot.run_rows;
  if (cut) out.shape[0] = slot.rows;
  if (out.type == ElementType::kString) {
    SLIPWAY_TRY(TakeStrings(value, Product(bound.shape), out));
  } else {
    void* data = bound.buffer.data();
    if (value != bound.value.get()) SLIPWAY_TRY(Check(api_.GetTensorMutableData(value, &data), "reading an output"));
    out.data.resize(Product(out.shape) * ElementSize(out.type));
    if (!out.data.empty()) std::memcpy(out.data.data(), data, out.data.size());
  }
  if (preset_ && bound.value == nullptr) return Preset(out.type, bound);
  return {};
}

base::Result<void> OnnxSession::TakeStrings(const OrtValue* value, size_t count, Tensor& out) {
  size_t bytes = 0;
  SLIPWAY_TRY(Check(api_.GetStringTensorDataLength(value, &bytes), "reading a text output"));
  const size_t wanted = Product(out.shape);
  out.strings.resize(wanted);
  if (count == 0) return {};
  text_.resize(std::max<size_t>(bytes, 1));
  offsets_.resize(count);
  SLIPWAY_TRY(
      Check(api_.GetStringTensorContent(value, text_.data(), bytes, offsets_.data(), count), "reading a text output"));
  for (size_t i = 0; i < wanted; ++i) {
    const size_t end = i + 1 < count ? offsets_[i + 1] : bytes;
    out.strings[i].assign(text_, offsets_[i], end - offsets_[i]);
  }
  return {};
}

base::Result<void> OnnxSession::Preset(ElementType type, BoundOutput& bound) const {
  if (type == ElementType::kString) return NewStrings(bound.shape, bound.value);
  bound.buffer.Resize(std::max<size_t>(bound.bytes, 1));
  return Wrap(type, bound.shape, bound.buffer.data(), bound.value);
}

}  // namespace slipway::engine::onnx
