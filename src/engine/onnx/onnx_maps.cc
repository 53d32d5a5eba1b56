// Sequences of maps: what a ZipMap gives when it could not be taken out of the model.
#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "engine/onnx/onnx_session.h"

namespace slipway::engine::onnx {

namespace {

struct LabelledRow {
  std::vector<std::string> labels;
  std::vector<float> values;
};

base::Result<void> ReadKeys(const OrtApi& api, OrtValue* keys, bool integers, size_t count, LabelledRow& row) {
  row.labels.resize(count);
  if (integers) {
    void* data = nullptr;
    SLIPWAY_TRY(Check(api.GetTensorMutableData(keys, &data), "reading a map"));
    for (size_t i = 0; i < count; ++i) row.labels[i] = std::to_string(static_cast<const int64_t*>(data)[i]);
    return {};
  }
  for (size_t i = 0; i < count; ++i) {
    size_t bytes = 0;
    SLIPWAY_TRY(Check(api.GetStringTensorElementLength(keys, i, &bytes), "reading a map"));
    row.labels[i].resize(bytes);
    SLIPWAY_TRY(Check(api.GetStringTensorElement(keys, bytes, i, row.labels[i].data()), "reading a map"));
  }
  return {};
}

base::Result<void> ReadMap(const Runtime& runtime, const OrtValue* sequence, size_t index, bool integers,
                           LabelledRow& row) {
  const OrtApi& api = runtime.api();
  OrtAllocator* allocator = nullptr;
  SLIPWAY_TRY(Check(api.GetAllocatorWithDefaultOptions(&allocator), "reading a map"));
  OrtValue* raw = nullptr;
  SLIPWAY_TRY(Check(api.GetValue(sequence, static_cast<int>(index), allocator, &raw), "reading a map"));
  const Owned<OrtValue> map(raw);
  SLIPWAY_TRY(Check(api.GetValue(map.get(), 0, allocator, &raw), "reading a map"));
  const Owned<OrtValue> keys(raw);
  SLIPWAY_TRY(Check(api.GetValue(map.get(), 1, allocator, &raw), "reading a map"));
  const Owned<OrtValue> values(raw);
  OrtTensorTypeAndShapeInfo* shape = nullptr;
  SLIPWAY_TRY(Check(api.GetTensorTypeAndShape(values.get(), &shape), "reading a map"));
  const Owned<OrtTensorTypeAndShapeInfo> owned(shape);
  size_t count = 0;
  SLIPWAY_TRY(Check(api.GetTensorShapeElementCount(shape, &count), "reading a map"));
  void* data = nullptr;
  SLIPWAY_TRY(Check(api.GetTensorMutableData(values.get(), &data), "reading a map"));
  const auto* numbers = static_cast<const float*>(data);
  row.values.assign(numbers, numbers + count);
  return ReadKeys(api, keys.get(), integers, count, row);
}

}  // namespace

base::Result<void> TakeMaps(const Runtime& runtime, const OrtValue* sequence, const TensorSpec& spec, Tensor& out) {
  size_t rows = 0;
  SLIPWAY_TRY(Check(runtime.api().GetValueCount(sequence, &rows), "reading a sequence of maps"));
  std::vector<std::string> labels = spec.labels;
  LabelledRow row;
  for (size_t i = 0; i < rows; ++i) {
    SLIPWAY_TRY(ReadMap(runtime, sequence, i, spec.integer_labels, row));
    if (labels.empty()) labels = row.labels;
    if (i == 0) out.data.resize(rows * labels.size() * sizeof(float));
    if (row.labels.size() != labels.size()) {
      return base::Fail(base::Code::kInternal, "engine.run",
                        "rows of this output have different labels: " + base::Shorten(spec.name));
    }
    for (size_t k = 0; k < labels.size(); ++k) {
      // The map is sorted by key, the labels mostly are too: look at the same place first.
      auto found = row.labels.begin() + static_cast<std::ptrdiff_t>(k);
      if (*found != labels[k]) found = std::ranges::find(row.labels, labels[k]);
      if (found == row.labels.end()) {
        return base::Fail(base::Code::kInternal, "engine.run",
                          "rows of this output have different labels: " + base::Shorten(spec.name));
      }
      const float value = row.values[static_cast<size_t>(found - row.labels.begin())];
      std::memcpy(out.data.data() + (i * labels.size() + k) * sizeof(float), &value, sizeof(float));
    }
  }
  out.shape = {static_cast<int64_t>(rows), static_cast<int64_t>(labels.size())};
  if (spec.labels.empty()) out.labels = std::move(labels);
  return {};
}

}  // namespace slipway::engine::onnx
