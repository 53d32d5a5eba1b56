#include "serving/tfserving/class_outputs.h"

#include <algorithm>

#include "base/value.h"
#include "data/row_text.h"
#include "data/timestamp.h"

namespace slipway::serving::tfserving {
namespace {

using data::Field;
using data::ScalarType;

constexpr data::JsonCellStyle kStyle = {.non_finite_tokens = true};

std::optional<size_t> FirstScalar(const std::vector<Field>& fields, ScalarType type) {
  const auto found =
      std::ranges::find_if(fields, [&](const Field& f) { return f.type.is_scalar() && f.type.scalar == type; });
  if (found == fields.end()) return std::nullopt;
  return static_cast<size_t>(found - fields.begin());
}

template <typename Accepts>
std::optional<size_t> FirstVector(const std::vector<Field>& fields, Accepts accepts) {
  const auto found = std::ranges::find_if(fields, [&](const Field& f) {
    return f.type.scalar == ScalarType::kNumber && f.type.shape.size() == 1 && f.type.shape[0] > 0 && accepts(f);
  });
  if (found == fields.end()) return std::nullopt;
  return static_cast<size_t>(found - fields.begin());
}

std::optional<ClassOutputs> FindTop(const std::vector<Field>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto scores = std::ranges::find(fields, fields[i].name + "_scores", &Field::name);
    if (scores == fields.end() || fields[i].type.shape.size() != 1 || scores->type.shape != fields[i].type.shape ||
        scores->type.scalar != ScalarType::kNumber || fields[i].type.is_variable()) {
      continue;
    }
    return ClassOutputs{ClassOutputs::Kind::kTop, i, static_cast<size_t>(scores - fields.begin())};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ClassOutputs> FindClasses(const std::vector<Field>& fields) {
  using Kind = ClassOutputs::Kind;
  if (const auto labelled = FirstVector(
          fields, [](const Field& f) { return static_cast<int64_t>(f.labels.size()) == f.type.shape[0]; })) {
    return ClassOutputs{Kind::kLabelled, *labelled, *labelled};
  }
  if (const auto top = FindTop(fields)) return top;
  if (const auto vector = FirstVector(fields, [](const Field& f) { return f.type.shape[0] > 1; })) {
    return ClassOutputs{Kind::kVector, *vector, *vector};
  }
  const auto score = FirstScalar(fields, ScalarType::kNumber);
  for (const ScalarType type : {ScalarType::kString, ScalarType::kInteger, ScalarType::kBoolean}) {
    const auto label = FirstScalar(fields, type);
    if (label && score) return ClassOutputs{Kind::kPair, *label, *score};
  }
  return std::nullopt;
}

void AppendLabel(const ClassOutputs& outputs, const std::vector<Field>& fields, const data::Table& predictions,
                 int64_t row, int64_t i, std::string& out) {
  using Kind = ClassOutputs::Kind;
  if (outputs.kind == Kind::kLabelled) {
    out += fields[outputs.scores].labels[static_cast<size_t>(i)];
    return;
  }
  if (outputs.kind == Kind::kVector) {
    out += std::to_string(i);
    return;
  }
  const Field& field = fields[outputs.classes];
  const data::ColumnView classes = predictions.columns[outputs.classes].view();
  if (!classes.IsValid(row)) return;
  const int64_t element = row * classes.width + i;
  if (field.type.scalar == ScalarType::kString) {
    out += classes.string(element);
  } else if (field.type.scalar == ScalarType::kTimestamp) {
    data::AppendTimestamp(out, classes.integers()[element]);
  } else {
    data::AppendJsonElement(field, classes, element, out);
  }
}

void AppendClasses(const ClassOutputs& outputs, const std::vector<Field>& fields, const data::Table& predictions,
                   int64_t row, std::string& out) {
  const data::ColumnView scores = predictions.columns[outputs.scores].view();
  std::string label;
  out += '[';
  for (int64_t i = 0; i < scores.width; ++i) {
    out += i == 0 ? "[" : ",[";
    label.clear();
    AppendLabel(outputs, fields, predictions, row, i, label);
    base::AppendJsonString(out, label);
    out += ',';
    if (scores.IsValid(row)) {
      data::AppendJsonElement(fields[outputs.scores], scores, row * scores.width + i, out, kStyle);
    } else {
      out += "null";
    }
    out += ']';
  }
  out += ']';
}

std::optional<size_t> FindValue(const std::vector<Field>& fields) {
  const auto number = FirstScalar(fields, ScalarType::kNumber);
  return number ? number : FirstScalar(fields, ScalarType::kInteger);
}

}  // namespace slipway::serving::tfserving
