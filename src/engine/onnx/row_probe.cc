#include "engine/onnx/row_probe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace slipway::engine::onnx {

namespace {

constexpr std::array<std::string_view, 16> kTexts = {"a",
                                                     "the quick brown fox jumps over the lazy dog",
                                                     "",
                                                     "0",
                                                     "1",
                                                     "2",
                                                     "yes",
                                                     "NO",
                                                     "Red",
                                                     "x1 y2 z3",
                                                     "\xc3\x84rger im Stra\xc3\x9f"
                                                     "enverkehr",
                                                     "free money now",
                                                     "hello, world!",
                                                     "AA",
                                                     "unknown",
                                                     "this was a very good film"};
constexpr std::array<std::string_view, 6> kNumericTexts = {"0", "1", "2", "3", "17", "0.5"};

uint16_t ToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const int exponent = static_cast<int>(bits >> 23 & 0xff) - 127 + 15;
  if (exponent <= 0) return sign;
  if (exponent >= 31) return static_cast<uint16_t>(sign | 0x7bff);
  return static_cast<uint16_t>(sign | exponent << 10 | (bits >> 13 & 0x3ff));
}

template <typename T>
void Put(std::vector<std::byte>& values, size_t index, T value) {
  std::memcpy(values.data() + index * sizeof(T), &value, sizeof(T));
}

}  // namespace

int64_t OpenSize(const TensorSpec& spec, bool batched, const ProbeStyle& style) {
  constexpr int64_t kImageSize = 64;
  const bool image = std::ranges::count(spec.RowShape(batched), -1) > 1;
  return image ? std::max(style.dynamic_size, kImageSize) : style.dynamic_size;
}

ProbeRows::ProbeRows(const ModelInfo& info, int64_t rows, const ProbeStyle& style)
    : rows_(rows), batched_(info.batched) {
  for (const TensorSpec& spec : info.inputs) {
    Input input;
    input.type = spec.type;
    input.row_shape = spec.RowShape(info.batched);
    for (int64_t& dimension : input.row_shape) {
      if (dimension < 0) dimension = OpenSize(spec, info.batched, style);
      input.row_elements *= static_cast<size_t>(dimension);
    }
    FillValues(input, style);
    inputs_.push_back(std::move(input));
  }
  views_.resize(inputs_.size());
}

uint64_t ProbeRows::Random() {  // xorshift64*
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1dULL;
}

float ProbeRows::RandomNumber(bool extremes) {
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<float>(Random() >> 40) * 0x1p-24f;
  constexpr float kScales[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1e-2f, 1e-5f, 10, 10, 100, 1e3f, 1e5f};
  return (sum - 2) * 1.7f * kScales[extremes ? Random() & 15 : 0];
}

void ProbeRows::FillValues(Input& input, const ProbeStyle& style) {
  const size_t count = static_cast<size_t>(rows_) * input.row_elements;
  input.values.resize(count * ElementSize(input.type));
  if (input.type == ElementType::kString) input.texts.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const auto whole =
        style.smallest + static_cast<int64_t>(Random() % static_cast<uint64_t>(style.largest - style.smallest + 1));
    switch (input.type) {
      case ElementType::kFloat32:
        Put(input.values, i, RandomNumber(style.extremes));
        break;
      case ElementType::kFloat64:
        Put(input.values, i, static_cast<double>(RandomNumber(style.extremes)) * (1 + 0x1p-30));
        break;
      case ElementType::kFloat16:
        Put(input.values, i, ToHalf(RandomNumber(style.extremes)));
        break;
      case ElementType::kBFloat16:
        Put(input.values, i, static_cast<uint16_t>(std::bit_cast<uint32_t>(RandomNumber(style.extremes)) >> 16));
        break;
      case ElementType::kBoolean:
        Put(input.values, i, static_cast<uint8_t>(Random() >> 63));
        break;
      case ElementType::kString:
        input.texts[i] =
            style.numeric_texts ? kNumericTexts[Random() % kNumericTexts.size()] : kTexts[Random() % kTexts.size()];
        break;
      default:  // integers, little endian: the low bytes are the value
        std::memcpy(input.values.data() + i * ElementSize(input.type), &whole, ElementSize(input.type));
    }
  }
}

std::span<const TensorView> ProbeRows::Batch(std::span<const int64_t> rows) {
  for (size_t k = 0; k < inputs_.size(); ++k) {
    Input& input = inputs_[k];
    const size_t bytes = input.row_elements * ElementSize(input.type);
    input.batch_values.resize(rows.size() * bytes);
    input.batch_texts.resize(input.texts.empty() ? 0 : rows.size() * input.row_elements);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<size_t>(rows[i]);
      if (bytes > 0) std::memcpy(input.batch_values.data() + i * bytes, input.values.data() + row * bytes, bytes);
      if (input.texts.empty()) continue;
      std::copy_n(input.texts.begin() + static_cast<std::ptrdiff_t>(row * input.row_elements), input.row_elements,
                  input.batch_texts.begin() + static_cast<std::ptrdiff_t>(i * input.row_elements));
    }
    TensorView& view = views_[k];
    view.type = input.type;
    view.shape = input.row_shape;
    if (batched_) view.shape.insert(view.shape.begin(), static_cast<int64_t>(rows.size()));
    view.data = input.batch_values.data();
    view.strings = input.batch_texts.data();
  }
  return views_;
}

}  // namespace slipway::engine::onnx
