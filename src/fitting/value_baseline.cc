#include "fitting/value_baseline.h"

#include <utility>

namespace slipway::fitting {
namespace {

using Kind = BaselineSubject::Kind;

double NumberAt(const data::ColumnView& view, int64_t element) {
  switch (view.type) {
    case data::ScalarType::kNumber:
      return view.numbers()[element];
    case data::ScalarType::kBoolean:
      return view.booleans()[element];
    default:
      return static_cast<double>(view.integers()[element]);
  }
}

/// How a type is described; `width`: elements of a row, -1 when it varies.
Kind KindOf(data::ScalarType type, bool scalar, int64_t width, bool personal, int64_t& elements_left) {
  if (type == data::ScalarType::kString) return scalar && !personal ? Kind::kText : Kind::kCounted;
  if (scalar) return Kind::kNumber;
  if (width < 0 || width > kDescribedElements || width > elements_left) return Kind::kWide;
  elements_left -= width;
  return Kind::kElements;
}

/// "grid[1][0]" for each element of a fixed shape, in row-major order.
std::vector<std::string> ElementNames(const data::Field& field) {
  std::vector<std::string> names = {field.name};
  for (const int64_t dimension : field.type.shape) {
    std::vector<std::string> longer;
    for (const std::string& name : names) {
      for (int64_t i = 0; i < dimension; ++i) longer.push_back(name + "[" + std::to_string(i) + "]");
    }
    names = std::move(longer);
  }
  return names;
}

}  // namespace

BaselineSubject BaselineSubject::Of(const data::Field& column, int64_t& elements_left) {
  BaselineSubject subject{.name = column.name, .type = column.type, .elements = {}};
  const int64_t width = column.type.is_variable() ? -1 : column.type.elements();
  subject.kind = KindOf(column.type.scalar, column.type.is_scalar(), width, column.personal, elements_left);
  if (subject.kind == Kind::kElements) subject.elements = ElementNames(column);
  return subject;
}

BaselineSubject BaselineSubject::Of(const features::Feature& feature, int64_t& elements_left) {
  const bool scalar = feature.width == 1;
  BaselineSubject subject{.name = feature.name, .type = {feature.type, {}}, .elements = {}};
  if (!scalar) subject.type.shape = {feature.width};
  subject.kind = KindOf(feature.type, scalar, feature.width, feature.personal, elements_left);
  if (subject.kind == Kind::kElements) subject.elements = feature.columns;
  return subject;
}

int64_t BaselineSubject::distributions() const {
  switch (kind) {
    case Kind::kNumber:
      return 1;
    case Kind::kElements:
      return static_cast<int64_t>(elements.size());
    case Kind::kWide:
      return 3;
    case Kind::kCounted:
    case Kind::kText:
      break;
  }
  return 0;
}

ValueBaseline::ValueBaseline(BaselineSubject subject, SketchSize size) : subject_(std::move(subject)) {
  switch (subject_.kind) {
    case Kind::kNumber:
      described_.emplace<NumberDistribution>(size);
      break;
    case Kind::kElements: {
      auto& elements = described_.emplace<std::vector<NumberDistribution>>();
      for (size_t i = 0; i < subject_.elements.size(); ++i) elements.emplace_back(size);
      break;
    }
    case Kind::kWide:
      described_.emplace<WideDistribution>(subject_.type.is_variable() ? -1 : subject_.type.elements(), size);
      break;
    case Kind::kText:
      described_.emplace<TextDistribution>();
      break;
    case Kind::kCounted:
      break;
  }
}

std::span<const double> ValueBaseline::Elements(const data::ColumnView& view, int64_t row) {
  const int64_t begin = view.width < 0 ? view.row_offsets[row] : row * view.width;
  const int64_t count = view.width < 0 ? view.row_offsets[row + 1] - begin : view.width;
  if (view.type == data::ScalarType::kNumber) return {view.numbers() + begin, static_cast<size_t>(count)};
  elements_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) elements_[static_cast<size_t>(i)] = NumberAt(view, begin + i);
  return elements_;
}

void ValueBaseline::Add(const data::ColumnView& view, int64_t row) {
  if (!view.IsValid(row)) return AddNull();
  ++rows_;
  if (auto* number = std::get_if<NumberDistribution>(&described_)) {
    number->Add(NumberAt(view, row));
  } else if (auto* each = std::get_if<std::vector<NumberDistribution>>(&described_)) {
    const auto elements = Elements(view, row);
    for (size_t i = 0; i < each->size(); ++i) (*each)[i].Add(elements[i]);
  } else if (auto* wide = std::get_if<WideDistribution>(&described_)) {
    wide->AddRow(Elements(view, row));
  } else if (auto* text = std::get_if<TextDistribution>(&described_)) {
    text->Add(view.string(row));
  }
}

base::Value ValueBaseline::ToValue() {
  auto value = base::Value::Map();
  value.Set("type", subject_.type.ToString()).Set("rows", rows_).Set("nulls", nulls_);
  if (auto* number = std::get_if<NumberDistribution>(&described_)) {
    number->Describe(value);
  } else if (auto* each = std::get_if<std::vector<NumberDistribution>>(&described_)) {
    auto elements = base::Value::Map();
    for (size_t i = 0; i < each->size(); ++i) {
      auto element = base::Value::Map();
      (*each)[i].Describe(element);
      elements.map().emplace_back(subject_.elements[i], std::move(element));
    }
    value.Set("elements", std::move(elements));
  } else if (auto* wide = std::get_if<WideDistribution>(&described_)) {
    wide->Describe(value);
  } else if (auto* text = std::get_if<TextDistribution>(&described_)) {
    text->Describe(value);
  }
  return value;
}

}  // namespace slipway::fitting
