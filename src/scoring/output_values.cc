#include "scoring/output_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "scoring/half.h"

namespace slipway::scoring {
namespace {

using base::Code;
using base::Fail;
using data::ScalarType;
using engine::ElementType;

template <typename From, typename To>
void Widen(const From* from, int64_t count, To* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]);
}

void WidenNumbers(const engine::Tensor& tensor, int64_t first, int64_t count, double* to) {
  switch (tensor.type) {
    case ElementType::kFloat32:
      Widen(tensor.as<float>() + first, count, to);
      break;
    case ElementType::kFloat64:
      Widen(tensor.as<double>() + first, count, to);
      break;
    case ElementType::kFloat16:
      for (int64_t i = 0; i < count; ++i) to[i] = HalfToFloat(tensor.as<uint16_t>()[first + i]);
      break;
    case ElementType::kBFloat16:
      for (int64_t i = 0; i < count; ++i) to[i] = Bfloat16ToFloat(tensor.as<uint16_t>()[first + i]);
      break;
    default:
      std::fill_n(to, count, std::nan(""));
      break;
  }
}

void WidenIntegers(const engine::Tensor& tensor, int64_t first, int64_t count, int64_t* to) {
  switch (tensor.type) {
    case ElementType::kInt8:
      Widen(tensor.as<int8_t>() + first, count, to);
      break;
    case ElementType::kInt16:
      Widen(tensor.as<int16_t>() + first, count, to);
      break;
    case ElementType::kInt32:
      Widen(tensor.as<int32_t>() + first, count, to);
      break;
    case ElementType::kUInt8:
      Widen(tensor.as<uint8_t>() + first, count, to);
      break;
    case ElementType::kUInt16:
      Widen(tensor.as<uint16_t>() + first, count, to);
      break;
    case ElementType::kUInt32:
      Widen(tensor.as<uint32_t>() + first, count, to);
      break;
    default:
      Widen(tensor.as<int64_t>() + first, count, to);
      break;
  }
}

/// The tensor's elements of one row, pushed one by one: variable rows and strings.
void PushElements(const engine::Tensor& tensor, int64_t first, int64_t count, data::Column& column) {
  for (int64_t i = first; i < first + count; ++i) {
    switch (column.type().scalar) {
      case ScalarType::kNumber: {
        double value;
        WidenNumbers(tensor, i, 1, &value);
        column.PushNumber(value);
        break;
      }
      case ScalarType::kBoolean:
        column.PushBoolean(tensor.as<uint8_t>()[i] != 0);
        break;
      case ScalarType::kString:
        column.PushString(tensor.strings[static_cast<size_t>(i)]);
        break;
      default: {
        int64_t value;
        WidenIntegers(tensor, i, 1, &value);
        column.PushInteger(value);
        break;
      }
    }
  }
}

double Adjust(double value, const Adjustment& adjustment) {
  if (adjustment.round) {
    const double scale = std::pow(10.0, static_cast<double>(*adjustment.round));
    const double scaled = value * scale;
    if (std::isfinite(scaled)) value = std::nearbyint(scaled) / scale;
  }
  if (adjustment.min && value < *adjustment.min) value = *adjustment.min;
  if (adjustment.max && value > *adjustment.max) value = *adjustment.max;
  return value;
}

void PushConverted(const data::ColumnView& source, int64_t element, const Adjustment& adjustment, data::Column& to) {
  double number = 0;
  switch (source.type) {
    case ScalarType::kNumber:
      number = source.numbers()[element];
      break;
    case ScalarType::kInteger:
      if (to.type().scalar == ScalarType::kInteger && !adjustment.min && !adjustment.max && !adjustment.round) {
        to.PushInteger(source.integers()[element]);
        return;
      }
      number = static_cast<double>(source.integers()[element]);
      break;
    case ScalarType::kTimestamp:
      to.PushInteger(source.integers()[element]);
      return;
    case ScalarType::kBoolean:
      if (to.type().scalar == ScalarType::kBoolean) {
        to.PushBoolean(source.booleans()[element] != 0);
        return;
      }
      number = source.booleans()[element];
      break;
    case ScalarType::kString:
      to.PushString(source.string(element));
      return;
  }
  number = Adjust(number, adjustment);
  if (to.type().scalar == ScalarType::kNumber) {
    to.PushNumber(number);
  } else {
    to.PushInteger(std::abs(number) < 0x1p63 ? static_cast<int64_t>(number) : 0);
  }
}

}  // namespace

base::Result<void> AppendTensor(const engine::Tensor& tensor, std::string_view name, int64_t rows, bool batched,
                                data::Column& column) {
  const int64_t elements = tensor.elements();
  const int64_t tensor_rows = batched ? (tensor.shape.empty() ? 1 : tensor.shape[0]) : 1;
  const auto& type = column.type();
  const bool variable = type.is_variable();
  if (tensor_rows < rows || tensor_rows <= 0 || (!variable && elements != tensor_rows * type.elements())) {
    return Fail(Code::kInternal, "engine.output",
                fmt::format("the model's output {:?} has shape [{}], but {} rows of {} are expected; a model must give "
                            "one result per row",
                            name, fmt::join(tensor.shape, ", "), rows, type.ToString()));
  }
  const int64_t width = elements / tensor_rows;
  if (variable || type.scalar == ScalarType::kString) {
    for (int64_t row = 0; row < rows; ++row) {
      PushElements(tensor, row * width, width, column);
      column.CloseRow(variable ? tensor.shape.data() + (batched ? 1 : 0) : nullptr);
    }
    return {};
  }
  const int64_t before = column.rows();
  switch (type.scalar) {
    case ScalarType::kNumber:
      WidenNumbers(tensor, 0, rows * width, column.ResizeNumbers(before + rows) + before * width);
      break;
    case ScalarType::kBoolean:
      Widen(tensor.as<uint8_t>(), rows * width, column.ResizeBooleans(before + rows) + before * width);
      break;
    default:
      WidenIntegers(tensor, 0, rows * width, column.ResizeIntegers(before + rows) + before * width);
      break;
  }
  return {};
}

void AppendView(const data::ColumnView& view, const data::Column& from, data::Column& to) {
  const auto& type = from.type();
  const bool bulk = !view.validity && !type.is_variable() && !to.has_nulls();
  const auto count = static_cast<size_t>(view.rows * view.width);
  const int64_t before = to.rows();
  if (bulk && type.scalar == ScalarType::kNumber) {
    std::copy_n(view.numbers(), count, to.ResizeNumbers(before + view.rows) + before * view.width);
  } else if (bulk && type.scalar == ScalarType::kBoolean) {
    std::copy_n(view.booleans(), count, to.ResizeBooleans(before + view.rows) + before * view.width);
  } else if (bulk && (type.scalar == ScalarType::kInteger || type.scalar == ScalarType::kTimestamp)) {
    std::copy_n(view.integers(), count, to.ResizeIntegers(before + view.rows) + before * view.width);
  } else {
    for (int64_t row = 0; row < view.rows; ++row) to.AppendFrom(from, row);
  }
}

void AppendConverted(const data::ColumnView& source, const data::Column* whole, const Adjustment& adjustment,
                     int64_t rows, data::Column& to) {
  const bool unchanged = !adjustment.min && !adjustment.max && !adjustment.round;
  if (whole && unchanged && whole->type() == to.type()) {
    AppendView(source, *whole, to);
    return;
  }
  const bool variable = to.type().is_variable();
  const auto rank = static_cast<int64_t>(to.type().shape.size());
  for (int64_t row = 0; row < rows; ++row) {
    if (!source.IsValid(row)) {
      to.AppendNull();
      continue;
    }
    const int64_t begin = variable ? source.row_offsets[row] : row * source.width;
    const int64_t end = variable ? source.row_offsets[row + 1] : begin + source.width;
    for (int64_t element = begin; element < end; ++element) PushConverted(source, element, adjustment, to);
    to.CloseRow(variable ? source.row_shapes + row * rank : nullptr);
  }
}

void AppendClassNames(const data::ColumnView& source, std::span<const std::string> names, int64_t rows,
                      data::Column& to) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t index = source.IsValid(row) ? source.integers()[row] : -1;
    if (index >= 0 && index < static_cast<int64_t>(names.size())) {
      to.AppendString(names[static_cast<size_t>(index)]);
    } else {
      to.AppendNull();
    }
  }
}

void AppendTop(const data::ColumnView& source, std::span<const std::string> labels, int64_t rows, data::Column& to,
               data::Column* scores) {
  const int64_t k = to.type().shape[0];
  std::vector<int64_t> order(static_cast<size_t>(source.width));
  for (int64_t row = 0; row < rows; ++row) {
    if (!source.IsValid(row)) {
      to.AppendNull();
      if (scores) scores->AppendNull();
      continue;
    }
    const double* values = source.numbers() + row * source.width;
    std::iota(order.begin(), order.end(), int64_t{0});
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
      const bool a_nan = std::isnan(values[a]), b_nan = std::isnan(values[b]);
      if (a_nan != b_nan) return b_nan;
      if (!a_nan && values[a] != values[b]) return values[a] > values[b];
      return a < b;
    });
    for (int64_t i = 0; i < k; ++i) {
      const int64_t index = order[static_cast<size_t>(i)];
      if (labels.empty()) {
        to.PushInteger(index);
      } else {
        to.PushString(labels[static_cast<size_t>(index)]);
      }
      if (scores) scores->PushNumber(values[index]);
    }
    to.CloseRow();
    if (scores) scores->CloseRow();
  }
}

}  // namespace slipway::scoring
