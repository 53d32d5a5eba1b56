#include "serving/tensors/tensor_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "base/value.h"
#include "data/timestamp.h"
#include "scoring/half.h"

namespace slipway::serving::tensors {
namespace {

using base::Code;
using data::ColumnView;
using data::ScalarType;

int64_t ElementsOf(const ColumnView& view) {
  return view.width < 0 ? view.row_offsets[view.rows] : view.rows * view.width;
}

template <typename T>
T ConvertTo(double value) {
  if constexpr (std::is_same_v<T, Half>) {
    return Half{scoring::FloatToHalf(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<T, Bfloat>) {
    return Bfloat{scoring::FloatToBfloat16(static_cast<float>(value))};
  } else {
    return static_cast<T>(value);
  }
}

template <typename T, typename From>
void AppendConverted(const From* from, int64_t count, std::string& out) {
  const size_t begin = out.size();
  out.resize(begin + static_cast<size_t>(count) * sizeof(T));
  char* to = out.data() + begin;
  if constexpr (std::is_same_v<T, From>) {
    if (count > 0) std::memcpy(to, from, static_cast<size_t>(count) * sizeof(T));
  } else {
    for (int64_t i = 0; i < count; ++i, to += sizeof(T)) {
      T value;
      if constexpr (std::is_same_v<From, double>) {
        value = ConvertTo<T>(from[i]);
      } else {
        value = static_cast<T>(from[i]);
      }
      std::memcpy(to, &value, sizeof value);
    }
  }
}

/// Floating tensors show a null as NaN.
template <typename T>
void MarkNulls(const ColumnView& view, size_t begin, std::string& out) {
  const T nan = ConvertTo<T>(std::numeric_limits<double>::quiet_NaN());
  for (int64_t row = 0; row < view.rows; ++row) {
    if (view.IsValid(row) || view.width < 0) continue;
    for (int64_t i = row * view.width; i < (row + 1) * view.width; ++i) {
      std::memcpy(out.data() + begin + static_cast<size_t>(i) * sizeof(T), &nan, sizeof nan);
    }
  }
}

void AppendText(std::string_view text, std::string& out) {
  const auto length = static_cast<uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out += text;
}

void AppendRawTexts(const ColumnView& view, std::string& out) {
  std::string text;
  const int64_t count = ElementsOf(view);
  for (int64_t i = 0; i < count; ++i) {
    if (view.type == ScalarType::kString) {
      AppendText(view.string(i), out);
      continue;
    }
    text.clear();
    if (view.width < 0 || view.IsValid(i / view.width)) data::AppendTimestamp(text, view.integers()[i]);
    AppendText(text, out);
  }
}

template <typename Number>
void AppendDigits(Number value, std::string& out) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void AppendNumber(Datatype datatype, double value, NonFinite non_finite, std::string& out) {
  if (std::isfinite(value)) {
    if (datatype == Datatype::kFp64) {
      base::AppendJsonNumber(out, value);
    } else {
      base::AppendJsonFloat(out, static_cast<float>(value));
    }
    return;
  }
  const std::string_view name = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  if (non_finite == NonFinite::kNull) {
    out += "null";
  } else {
    out += non_finite == NonFinite::kString ? fmt::format("\"{}\"", name) : name;
  }
}

void AppendJsonElement(Datatype datatype, const ColumnView& view, int64_t i, NonFinite non_finite, std::string& out) {
  switch (view.type) {
    case ScalarType::kBoolean:
      out += view.booleans()[i] != 0 ? "true" : "false";
      break;
    case ScalarType::kInteger:
      AppendDigits(view.integers()[i], out);
      break;
    case ScalarType::kNumber:
      AppendNumber(datatype, view.numbers()[i], non_finite, out);
      break;
    case ScalarType::kString:
      base::AppendJsonString(out, view.string(i));
      break;
    case ScalarType::kTimestamp:
      out += '"';
      data::AppendTimestamp(out, view.integers()[i]);
      out += '"';
      break;
  }
}

/// "<value>:<index>[:<label>]"
void AppendClass(double value, bool single, int64_t index, std::span<const std::string> labels, std::string& out) {
  if (single) {
    AppendDigits(static_cast<float>(value), out);
  } else {
    AppendDigits(value, out);
  }
  out += ':';
  AppendDigits(index, out);
  if (static_cast<size_t>(index) < labels.size()) out.append(":").append(labels[static_cast<size_t>(index)]);
}

}  // namespace

base::Result<Shape> ShapeOf(const Port& port, const data::Column& column) {
  const ColumnView view = column.view();
  Shape shape;
  const size_t rank = std::min(port.shape.size(), Shape::kMaxRank);
  const size_t rest = port.rows_first ? 1 : 0;
  if (rest == 1) shape.Add(view.rows);
  const auto own = static_cast<int64_t>(column.type().shape.size());
  for (size_t i = rest; i < rank; ++i) {
    int64_t dimension = std::max<int64_t>(port.shape[i], column.type().is_scalar() ? 1 : 0);
    if (view.width < 0 && view.rows > 0 && static_cast<int64_t>(i - rest) < own) dimension = view.row_shapes[i - rest];
    shape.Add(dimension);
  }
  for (int64_t row = 1; view.width < 0 && row < view.rows; ++row) {
    if (!std::equal(view.row_shapes, view.row_shapes + own, view.row_shapes + row * own)) {
      return base::Fail(Code::kInvalidArgument, "tensor.ragged",
                        fmt::format("rows of output {} have different shapes, which one tensor cannot hold; send one "
                                    "row at a time",
                                    port.name));
    }
  }
  return shape;
}

void AppendRaw(Datatype datatype, const data::Column& column, std::string& out) {
  const ColumnView view = column.view();
  const int64_t count = ElementsOf(view);
  if (datatype == Datatype::kBytes) {
    AppendRawTexts(view, out);
    return;
  }
  const size_t begin = out.size();
  VisitNumeric(datatype, [&]<typename T>(T) {
    switch (view.type) {
      case ScalarType::kNumber:
        AppendConverted<T>(view.numbers(), count, out);
        if constexpr (!std::is_integral_v<T>) {
          if (view.validity != nullptr) MarkNulls<T>(view, begin, out);
        }
        break;
      case ScalarType::kBoolean:
        if constexpr (std::is_integral_v<T>) AppendConverted<T>(view.booleans(), count, out);
        break;
      default:
        if constexpr (std::is_integral_v<T>) AppendConverted<T>(view.integers(), count, out);
        break;
    }
  });
}

void AppendJson(Datatype datatype, const data::Column& column, NonFinite non_finite, std::string& out) {
  const ColumnView view = column.view();
  const int64_t count = ElementsOf(view);
  out += '[';
  for (int64_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    if (view.width > 0 && !view.IsValid(i / view.width)) {
      out += "null";
    } else {
      AppendJsonElement(datatype, view, i, non_finite, out);
    }
  }
  out += ']';
}

base::Result<void> Classify(const Port& port, const data::Column& column, int64_t k, data::Column& classes) {
  const ColumnView view = column.view();
  if ((view.type != ScalarType::kNumber && view.type != ScalarType::kInteger) || view.width < 0) {
    return base::Fail(Code::kInvalidArgument, "tensor.classification",
                      fmt::format("output {} cannot be asked for as a classification: that takes a number per class, "
                                  "the same classes in every row",
                                  port.name));
  }
  const int64_t kept = std::min(k, view.width);
  classes = data::Column({.scalar = ScalarType::kString, .shape = {kept}});
  const auto value = [&](int64_t i) {
    return view.type == ScalarType::kNumber ? view.numbers()[i] : static_cast<double>(view.integers()[i]);
  };
  std::vector<int64_t> order(static_cast<size_t>(view.width));
  std::string text;
  for (int64_t row = 0; row < view.rows; ++row) {
    const int64_t first = row * view.width;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int64_t a, int64_t b) {
      const double x = value(first + a), y = value(first + b);
      if (std::isnan(x) || std::isnan(y)) return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(y);
      return x != y ? x > y : a < b;
    });
    for (int64_t i = 0; i < kept; ++i) {
      text.clear();
      const int64_t index = order[static_cast<size_t>(i)];
      AppendClass(value(first + index), port.datatype != Datatype::kFp64, index, port.labels, text);
      classes.PushString(text);
    }
    classes.CloseRow();
  }
  return {};
}

}  // namespace slipway::serving::tensors
