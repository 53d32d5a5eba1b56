#include "scoring/prediction_decoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "base/text.h"
#include "scoring/half.h"
#include "scoring/output_values.h"

namespace slipway::scoring {
namespace {

using base::Code;
using base::Fail;
using data::ScalarType;
using engine::ElementType;

std::string Where(base::Position position) {
  return position.line ? fmt::format("slipway.yaml:{}:{}", position.line, position.column) : "slipway.yaml";
}

data::Field FieldOf(const engine::TensorSpec& spec, bool batched) {
  data::Field field;
  field.name = spec.name;
  switch (spec.type) {
    case ElementType::kFloat32:
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      field.single_precision = true;
      [[fallthrough]];
    case ElementType::kFloat64:
      field.type.scalar = ScalarType::kNumber;
      break;
    case ElementType::kBoolean:
      field.type.scalar = ScalarType::kBoolean;
      break;
    case ElementType::kString:
      field.type.scalar = ScalarType::kString;
      break;
    default:
      field.type.scalar = ScalarType::kInteger;
      break;
  }
  if (spec.kind == engine::TensorSpec::Kind::kMaps) {
    field.type.shape = {static_cast<int64_t>(spec.labels.size())};
    field.labels = spec.labels;
    return field;
  }
  auto shape = spec.RowShape(batched);
  const bool open = std::ranges::any_of(shape, [](int64_t d) { return d < 0; });
  const int64_t elements = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  if (open || elements != 1) field.type.shape = std::move(shape);
  return field;
}

/// "name" or "name[3]": an element as the model gave it, so single precision survives.
bool IsPlainElement(std::string_view text) {
  return text.find_first_of("+-*/%<>=!?(, ") == std::string_view::npos;
}

}  // namespace

base::Result<PredictionDecoder> PredictionDecoder::Create(const bundle::Manifest& manifest,
                                                          const schema::Schema& schema,
                                                          const engine::ModelInfo& model) {
  PredictionDecoder decoder;
  decoder.model_ = model.outputs;
  decoder.batched_ = model.batched;
  for (const auto& spec : model.outputs) decoder.model_fields_.push_back(FieldOf(spec, model.batched));
  if (manifest.outputs.empty()) {
    decoder.fields_ = decoder.model_fields_;
    return decoder;
  }
  for (const auto& spec : manifest.outputs) {
    SLIPWAY_ASSIGN(auto output, decoder.Compile(spec, decoder.outputs_, schema));
    if (!spec.hidden) {
      decoder.fields_.push_back(output.field);
      if (spec.top) decoder.fields_.push_back(output.scores);
    }
    decoder.outputs_.push_back(std::move(output));
  }
  if (decoder.fields_.empty()) {
    return Fail(Code::kInvalidArgument, "manifest.outputs", "every output is hidden: a prediction needs a field",
                Where(manifest.outputs.front().position));
  }
  return decoder;
}

base::Result<PredictionDecoder::Output> PredictionDecoder::Compile(const bundle::OutputSpec& spec,
                                                                   std::span<const Output> earlier,
                                                                   const schema::Schema& schema) const {
  Output output;
  output.spec = spec;
  output.field.name = spec.name;
  const auto whole = std::ranges::find(model_fields_, spec.from, &data::Field::name);
  if (!spec.from.empty() && whole != model_fields_.end()) {
    output.model = static_cast<int>(whole - model_fields_.begin());
    output.field = *whole;
    output.field.name = spec.name;
  } else {
    SLIPWAY_TRY(CompileProgram(output, earlier, schema));
  }
  output.source = output.field.type.scalar;
  SLIPWAY_TRY(Shape(output));
  return output;
}

base::Result<void> PredictionDecoder::CompileProgram(Output& output, std::span<const Output> earlier,
                                                     const schema::Schema& schema) const {
  const auto& spec = output.spec;
  const std::string& text = !spec.from.empty() ? spec.from : !spec.when.empty() ? spec.when : spec.expr;
  std::vector<expr::Symbol> symbols;
  auto add = [&](const data::Field& field, Slot slot) {
    if (std::ranges::find(symbols, field.name, &expr::Symbol::name) != symbols.end()) return;
    symbols.push_back({field.name, field.type, field.zone_minutes, field.labels});
    output.slots.push_back(slot);
  };
  // A name means the nearest thing: an earlier output, then the model's output, then an input column.
  if (spec.from.empty()) {
    for (size_t i = 0; i < earlier.size(); ++i) add(earlier[i].field, {Slot::Kind::kComputed, static_cast<int>(i)});
  }
  for (size_t i = 0; i < model_fields_.size(); ++i) add(model_fields_[i], {Slot::Kind::kModel, static_cast<int>(i)});
  if (spec.from.empty()) {
    for (size_t i = 0; i < schema.columns.size(); ++i) {
      add(schema.columns[i].field, {Slot::Kind::kColumn, static_cast<int>(i)});
    }
  }
  auto program = expr::Program::Compile(text, symbols);
  if (!program) {
    // A row of one element is a scalar; `variable[0]` may still index it.
    for (auto& symbol : symbols) {
      if (symbol.type.is_scalar()) symbol.type.shape = {1};
    }
    if (auto indexed = expr::Program::Compile(text, symbols); indexed) {
      program = std::move(indexed);
    } else {
      auto error = program.error();
      error.where = Where(spec.position);
      error.message = fmt::format("output {:?}: {}", spec.name, error.message);
      return std::unexpected(std::move(error));
    }
  }
  if (!spec.when.empty() && program->type() != ScalarType::kBoolean) {
    return Fail(Code::kInvalidArgument, "manifest.outputs",
                fmt::format("output {:?}: `when` must be true or false, but {:?} is {}; use `expr` for other values",
                            spec.name, text, data::ScalarTypeName(program->type())),
                Where(spec.position));
  }
  output.field.type.scalar = program->type();
  if (!spec.from.empty() && program->type() == ScalarType::kNumber && IsPlainElement(text)) {
    output.field.single_precision = std::ranges::all_of(program->inputs(), [&](int symbol) {
      return model_fields_[static_cast<size_t>(output.slots[static_cast<size_t>(symbol)].index)].single_precision;
    });
  }
  output.program = std::make_unique<const expr::Program>(std::move(*program));
  return {};
}

base::Result<void> PredictionDecoder::Shape(Output& output) const {
  const auto& spec = output.spec;
  auto& field = output.field;
  auto fail = [&](std::string message) {
    return Fail(Code::kInvalidArgument, "manifest.outputs", fmt::format("output {:?}: {}", spec.name, message),
                Where(spec.position));
  };
  for (const auto& label : spec.labels)
    output.labels.push_back(label.is_string() ? label.string() : base::ToJson(label));
  const bool vector = field.type.shape.size() == 1 && field.type.shape[0] > 0;
  if (output.labels.empty()) output.labels = field.labels;
  if (!spec.labels.empty() && vector && static_cast<int64_t>(output.labels.size()) != field.type.shape[0]) {
    return fail(fmt::format("{} labels for a vector of {} elements", output.labels.size(), field.type.shape[0]));
  }
  if (spec.top) {
    if (!vector || field.type.scalar != ScalarType::kNumber)
      return fail("`top` takes a vector of numbers, this is " + field.type.ToString());
    const int64_t k = std::min(*spec.top, field.type.shape[0]);
    output.scores = field;
    output.scores.name = spec.name + "_scores";
    output.scores.labels.clear();
    output.scores.type.shape = {k};
    field.labels.clear();
    field.single_precision = false;
    field.type = {output.labels.empty() ? ScalarType::kInteger : ScalarType::kString, {k}};
    return {};
  }
  if (!spec.labels.empty()) {
    if (vector) {
      field.labels = output.labels;
    } else if (field.type.is_scalar() && field.type.scalar == ScalarType::kInteger) {
      field.type.scalar = ScalarType::kString;
    } else {
      return fail("labels name the elements of a vector or stand for an integer class, this is " +
                  field.type.ToString());
    }
    return {};
  }
  const bool numeric = field.type.scalar == ScalarType::kNumber || field.type.scalar == ScalarType::kInteger;
  if ((spec.min || spec.max || spec.round) && !numeric) {
    return fail("min, max and round take numbers, this is " + field.type.ToString());
  }
  if (spec.round) field.single_precision = false;
  for (const auto& bound : {spec.min, spec.max}) {
    if (bound && static_cast<double>(static_cast<float>(*bound)) != *bound) field.single_precision = false;
  }
  if (spec.type) {
    auto declared = data::ParseScalarType(*spec.type);
    if (!declared) return fail(declared.error().message);
    const bool promotes = *declared == field.type.scalar || (*declared == ScalarType::kNumber && numeric) ||
                          (*declared == ScalarType::kNumber && field.type.scalar == ScalarType::kBoolean) ||
                          (*declared == ScalarType::kInteger && field.type.scalar == ScalarType::kBoolean) ||
                          (*declared == ScalarType::kInteger && spec.round && *spec.round <= 0);
    if (!promotes) {
      return fail(fmt::format("declared {}, but it is {}{}", *spec.type, field.type.ToString(),
                              *declared == ScalarType::kInteger ? "; add `round: 0`" : ""));
    }
    field.type.scalar = *declared;
  }
  return {};
}

PredictionDecoder::Buffers PredictionDecoder::NewBuffers() const {
  Buffers buffers;
  for (const auto& field : model_fields_) buffers.model.emplace_back(field.type);
  for (const auto& output : outputs_) {
    buffers.computed.emplace_back(output.field.type);
    buffers.expressions.emplace_back();
  }
  return buffers;
}

void PredictionDecoder::Begin(Buffers& buffers) const {
  for (auto& column : buffers.model) column.Clear();
}

base::Result<void> PredictionDecoder::Take(std::span<const engine::Tensor> outputs, int64_t rows,
                                           Buffers& buffers) const {
  for (size_t i = 0; i < model_fields_.size(); ++i) {
    SLIPWAY_TRY(AppendTensor(outputs[i], model_[i].name, rows, batched_, buffers.model[i]));
  }
  return {};
}

void PredictionDecoder::Finish(std::span<const data::ColumnView> columns, int64_t rows, Buffers& buffers,
                               data::Table& predictions) const {
  if (outputs_.empty()) {
    for (size_t i = 0; i < buffers.model.size(); ++i)
      AppendView(buffers.model[i].view(), buffers.model[i], predictions.columns[i]);
    predictions.rows += rows;
    return;
  }
  size_t next = 0;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const auto& output = outputs_[i];
    auto& computed = buffers.computed[i];
    data::ColumnView source;
    const data::Column* whole = nullptr;
    if (output.model >= 0) {
      whole = &buffers.model[static_cast<size_t>(output.model)];
      source = whole->view();
    } else {
      buffers.symbols.resize(output.slots.size());
      for (const int symbol : output.program->inputs()) {
        const Slot slot = output.slots[static_cast<size_t>(symbol)];
        const auto index = static_cast<size_t>(slot.index);
        buffers.symbols[static_cast<size_t>(symbol)] = slot.kind == Slot::Kind::kModel ? buffers.model[index].view()
                                                       : slot.kind == Slot::Kind::kComputed
                                                           ? buffers.computed[index].view()
                                                           : columns[index];
      }
      source = output.program->Evaluate(buffers.symbols, rows, buffers.expressions[i]);
    }
    computed.Clear();
    if (output.spec.top) {
      data::Column* scores = output.spec.hidden ? nullptr : &predictions.columns[next + 1];
      AppendTop(source, output.labels, rows, computed, scores);
    } else if (output.field.type.is_scalar() && output.field.type.scalar == ScalarType::kString &&
               !output.spec.labels.empty() && output.source == ScalarType::kInteger) {
      AppendClassNames(source, output.labels, rows, computed);
    } else {
      AppendConverted(source, whole, {output.spec.min, output.spec.max, output.spec.round}, rows, computed);
    }
    if (!output.spec.hidden) {
      AppendView(computed.view(), computed, predictions.columns[next]);
      next += output.spec.top ? 2 : 1;
    }
  }
  predictions.rows += rows;
}

}  // namespace slipway::scoring
