#include "scoring/model_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/text.h"
#include "scoring/half.h"

namespace slipway::scoring {
namespace {

using base::Code;
using base::Fail;
using data::ScalarType;
using engine::ElementType;

/// Tags for the two 16-bit floating types, so that they differ from uint16_t.
struct Half {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

bool IsFloating(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat64 || type == ElementType::kFloat16 ||
         type == ElementType::kBFloat16;
}

std::string Where(base::Position position) {
  return position.line ? fmt::format("slipway.yaml:{}:{}", position.line, position.column) : "slipway.yaml";
}

std::pair<int64_t, int64_t> IntegerRange(ElementType type) {
  switch (type) {
    case ElementType::kInt8:
      return {std::numeric_limits<int8_t>::min(), std::numeric_limits<int8_t>::max()};
    case ElementType::kInt16:
      return {std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()};
    case ElementType::kInt32:
      return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    case ElementType::kUInt8:
      return {0, std::numeric_limits<uint8_t>::max()};
    case ElementType::kUInt16:
      return {0, std::numeric_limits<uint16_t>::max()};
    case ElementType::kUInt32:
      return {0, std::numeric_limits<uint32_t>::max()};
    case ElementType::kUInt64:
      return {0, std::numeric_limits<int64_t>::max()};
    default:
      return {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  }
}

ScalarType ColumnTypeOf(ElementType type) {
  if (IsFloating(type)) return ScalarType::kNumber;
  if (type == ElementType::kBoolean) return ScalarType::kBoolean;
  if (type == ElementType::kString) return ScalarType::kString;
  return ScalarType::kInteger;
}

int64_t Product(std::span<const int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

template <typename T>
T ConvertNumber(double value) {
  if constexpr (std::is_same_v<T, Half>) {
    return Half{FloatToHalf(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<T, Bfloat16>) {
    return Bfloat16{FloatToBfloat16(static_cast<float>(value))};
  } else {
    return static_cast<T>(value);
  }
}

template <typename T>
T NullOf() {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>) {
    return ConvertNumber<T>(std::numeric_limits<double>::quiet_NaN());
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::numeric_limits<T>::quiet_NaN();
  } else {
    return T{};
  }
}

template <typename T>
constexpr bool kTakesNull = std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>;

/// One row's `width` elements starting at element `begin` of `view`.
template <typename T>
bool ConvertElements(const data::ColumnView& view, int64_t begin, int64_t width, T* out) {
  bool fits = true;
  for (int64_t i = 0; i < width; ++i) {
    const int64_t element = begin + i;
    switch (view.type) {
      case ScalarType::kNumber:
        out[i] = ConvertNumber<T>(view.numbers()[element]);
        break;
      case ScalarType::kBoolean:
        if constexpr (kTakesNull<T>) {
          out[i] = ConvertNumber<T>(view.booleans()[element]);
        } else {
          out[i] = static_cast<T>(view.booleans()[element]);
        }
        break;
      case ScalarType::kInteger:
      case ScalarType::kTimestamp: {
        const int64_t value = view.integers()[element];
        if constexpr (kTakesNull<T>) {
          out[i] = ConvertNumber<T>(static_cast<double>(value));
        } else {
          fits &= std::in_range<T>(value);
          out[i] = static_cast<T>(value);
        }
        break;
      }
      case ScalarType::kString:
        break;  // refused when bound
    }
  }
  return fits;
}

data::Violation NullMisfit(const std::string& source, const std::string& tensor) {
  return {.row = 0,
          .field = -1,
          .code = data::ViolationCode::kNull,
          .path = source,
          .value = {},
          .rule = "not null",
          .message = fmt::format("{} is null, and the model's input {} has no form for null; impute it with a feature "
                                 "step or reject nulls in the schema",
                                 source, tensor)};
}

data::Violation RangeMisfit(const std::string& source, const std::string& tensor, std::string_view type) {
  return {
      .row = 0,
      .field = -1,
      .code = data::ViolationCode::kOutOfRange,
      .path = source,
      .value = {},
      .rule = std::string(type),
      .message = fmt::format("{} does not fit the {} that the model's input {} takes; bound the column with min and "
                             "max",
                             source, type, tensor)};
}

}  // namespace

base::Result<schema::Schema> SchemaOfModel(const engine::ModelInfo& model, bool missing_is_nan) {
  schema::Schema schema;
  for (const auto& input : model.inputs) {
    schema::ColumnRules rules;
    rules.field.name = input.name;
    rules.field.type.scalar = ColumnTypeOf(input.type);
    auto shape = input.RowShape(model.batched);
    if (Product(shape) != 1 || std::ranges::any_of(shape, [](int64_t d) { return d < 0; })) {
      rules.field.type.shape = std::move(shape);
    }
    if (rules.field.type.scalar == ScalarType::kInteger) {
      const auto [low, high] = IntegerRange(input.type);
      if (low != std::numeric_limits<int64_t>::min()) rules.min_integer = low;
      if (high != std::numeric_limits<int64_t>::max()) rules.max_integer = high;
    }
    if (missing_is_nan && rules.field.type.scalar == ScalarType::kNumber) {
      rules.allow_non_finite = true;
      rules.field.null_elements_are_nan = !rules.field.type.is_scalar();
      if (rules.field.type.is_scalar()) rules.missing = schema::Missing::kNull;
    }
    schema.columns.push_back(std::move(rules));
  }
  return schema;
}

base::Result<ModelInputs::Source> ModelInputs::Resolve(const std::string& name, const schema::Schema& schema,
                                                       const features::Pipeline& pipeline,
                                                       const bundle::InputBinding& binding) {
  if (const int feature = pipeline.Find(name); feature >= 0) {
    const auto& found = pipeline.features()[static_cast<size_t>(feature)];
    return Source{true, feature, found.width, found.type, name};
  }
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& field = schema.columns[i].field;
    if (field.name == name) {
      return Source{false, static_cast<int>(i), field.type.is_variable() ? -1 : field.type.elements(),
                    field.type.scalar, name};
    }
  }
  std::vector<std::string> known;
  for (const auto& feature : pipeline.features()) known.push_back(feature.name);
  for (const auto& column : schema.columns) known.push_back(column.field.name);
  return Fail(Code::kInvalidArgument, "manifest.model_input",
              fmt::format("model.input names {:?}, which is neither a feature nor a column{}", name,
                          base::DidYouMean(name, known)),
              Where(binding.position));
}

base::Result<ModelInputs::Input> ModelInputs::Bind(const bundle::InputBinding& binding, const engine::TensorSpec& spec,
                                                   const schema::Schema& schema, const Preprocessor& preprocessor,
                                                   const engine::ModelInfo& model) {
  const auto& pipeline = preprocessor.pipeline();
  Input input{.spec = spec, .row_shape = spec.RowShape(model.batched)};
  std::vector<std::string> names = binding.features;
  if (names.empty()) {
    for (const auto& feature : pipeline.features()) {
      if (!feature.hidden) names.push_back(feature.name);
    }
    if (!preprocessor.has_features()) {
      for (const auto& column : schema.columns) names.push_back(column.field.name);
    }
  }
  bool only_features = true;
  for (const auto& name : names) {
    SLIPWAY_ASSIGN(auto source, Resolve(name, schema, pipeline, binding));
    const bool text = source.type == ScalarType::kString;
    if (text != (spec.type == ElementType::kString)) {
      return Fail(Code::kInvalidArgument, "manifest.model_input",
                  fmt::format("{:?} is {}, but the model's input {:?} takes {}; {}", name,
                              data::ScalarTypeName(source.type), spec.name, engine::ElementTypeName(spec.type),
                              text ? "encode it with a feature step (one_hot, ordinal, target_encode, hash)"
                                   : "give it a text column"),
                  Where(binding.position));
    }
    if (source.type == ScalarType::kTimestamp) {
      return Fail(
          Code::kInvalidArgument, "manifest.model_input",
          fmt::format("{:?} is a timestamp, which no tensor holds; derive features from it (date_parts, elapsed, "
                      "expr: \"hour({})\")",
                      name, name),
          Where(binding.position));
    }
    if (source.type == ScalarType::kNumber && !IsFloating(spec.type) && !text) {
      return Fail(Code::kInvalidArgument, "manifest.model_input",
                  fmt::format("{:?} is a number, but the model's input {:?} takes {}; make it whole with expr: "
                              "\"to_integer({})\"",
                              name, spec.name, engine::ElementTypeName(spec.type), name),
                  Where(binding.position));
    }
    only_features &= source.feature;
    if (source.width < 0) input.variable = true;
    input.width += source.width;
    input.sources.push_back(std::move(source));
  }
  if (input.sources.empty()) {
    return Fail(Code::kInvalidArgument, "manifest.model_input",
                fmt::format("nothing fills the model's input {:?}: declare inputs or features", spec.name),
                Where(binding.position));
  }
  if (input.variable && (input.sources.size() > 1 || input.row_shape.size() > 16)) {
    return Fail(
        Code::kInvalidArgument, "manifest.model_input",
        fmt::format("the model's input {:?} takes one column of varying shape, not several side by side", spec.name),
        Where(binding.position));
  }
  const bool open = std::ranges::any_of(input.row_shape, [](int64_t d) { return d < 0; });
  if (!input.variable) {
    // One open dimension takes whatever is left; a fixed shape must be met exactly.
    int64_t fixed = 1;
    int open_dimensions = 0;
    for (const int64_t d : input.row_shape)
      d < 0 ? static_cast<void>(++open_dimensions) : static_cast<void>(fixed *= d);
    const bool fits = open ? open_dimensions == 1 && fixed > 0 && input.width % fixed == 0 : input.width == fixed;
    if (!fits) {
      return Fail(Code::kInvalidArgument, "manifest.model_input",
                  fmt::format("the model's input {:?} takes {} values a row (shape [{}]), but {} are given by {}",
                              spec.name, open ? "another number of" : fmt::format("{}", fixed),
                              fmt::join(spec.shape, ", "), input.width, fmt::join(names, ", ")),
                  Where(binding.position));
    }
    for (int64_t& d : input.row_shape) {
      if (d < 0) d = input.width / fixed;
    }
  }
  if (only_features && (spec.type == ElementType::kFloat32 || spec.type == ElementType::kFloat64)) {
    for (const auto& source : input.sources) input.matrix.push_back(source.index);
  }
  return input;
}

base::Result<ModelInputs> ModelInputs::Create(const bundle::Manifest& manifest, const schema::Schema& schema,
                                              const Preprocessor& preprocessor, const engine::ModelInfo& model) {
  ModelInputs result;
  result.batched_ = model.batched;
  std::vector<std::string> tensor_names;
  for (const auto& spec : model.inputs) tensor_names.push_back(spec.name);
  for (const auto& binding : manifest.model.inputs) {
    if (!binding.tensor.empty() && std::ranges::find(tensor_names, binding.tensor) == tensor_names.end()) {
      return Fail(
          Code::kInvalidArgument, "manifest.model_input",
          fmt::format("model.input names the tensor {:?}, which the model does not have; it has {}{}", binding.tensor,
                      fmt::join(tensor_names, ", "), base::DidYouMean(binding.tensor, tensor_names)),
          Where(binding.position));
    }
  }
  for (const auto& spec : model.inputs) {
    bundle::InputBinding binding{.tensor = spec.name, .features = {}, .position = manifest.model.position};
    const auto declared = std::ranges::find_if(manifest.model.inputs, [&](const auto& candidate) {
      return candidate.tensor == spec.name || (candidate.tensor.empty() && model.inputs.size() == 1);
    });
    if (declared != manifest.model.inputs.end()) {
      binding = *declared;
    } else if (model.inputs.size() > 1 || !manifest.has_inputs) {
      // Several tensors and no map: each takes the feature or column of its own name.
      binding.features = {spec.name};
      if (!Resolve(spec.name, schema, preprocessor.pipeline(), binding)) {
        return Fail(Code::kInvalidArgument, "manifest.model_input",
                    fmt::format("the model has {} inputs ({}), and nothing is named {:?}; map them: model: {{input: "
                                "{{{}: [feature, …], …}}}}",
                                model.inputs.size(), fmt::join(tensor_names, ", "), spec.name, spec.name),
                    Where(manifest.model.position));
      }
    }
    SLIPWAY_ASSIGN(auto input, Bind(binding, spec, schema, preprocessor, model));
    result.variable_ |= input.variable;
    result.inputs_.push_back(std::move(input));
  }
  return result;
}

template <typename T>
void ModelInputs::FillAs(const Input& input, int64_t rows, Buffers& buffers, size_t index) const {
  auto& buffer = buffers.inputs[index];
  if (input.variable) {
    const auto& view = *buffers.sources[0];
    const int64_t base = view.row_offsets[0];
    const int64_t elements = view.row_offsets[rows] - base;
    buffer.bytes.resize(static_cast<size_t>(elements) * sizeof(T));
    buffer.row_begin.resize(static_cast<size_t>(rows) + 1);
    buffer.row_shapes = view.row_shapes;
    auto* out = reinterpret_cast<T*>(buffer.bytes.data());
    for (int64_t row = 0; row <= rows; ++row) buffer.row_begin[static_cast<size_t>(row)] = view.row_offsets[row] - base;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t begin = view.row_offsets[row];
      if (!view.IsValid(row)) {
        buffers.misfits.push_back({row, NullMisfit(input.sources[0].name, input.spec.name)});
      } else if (!ConvertElements<T>(view, begin, view.row_offsets[row + 1] - begin, out + (begin - base))) {
        buffers.misfits.push_back(
            {row, RangeMisfit(input.sources[0].name, input.spec.name, engine::ElementTypeName(input.spec.type))});
      }
    }
    return;
  }
  auto* out = reinterpret_cast<T*>(buffer.bytes.data());
  int64_t offset = 0;
  for (size_t s = 0; s < input.sources.size(); ++s) {
    const auto& source = input.sources[s];
    const auto& view = *buffers.sources[s];
    if (view.type == ScalarType::kNumber && source.width == 1 && view.validity == nullptr) {
      const double* numbers = view.numbers();
      for (int64_t row = 0; row < rows; ++row) out[row * input.width + offset] = ConvertNumber<T>(numbers[row]);
      ++offset;
      continue;
    }
    for (int64_t row = 0; row < rows; ++row) {
      T* cell = out + row * input.width + offset;
      if (!view.IsValid(row)) {
        std::fill_n(cell, source.width, NullOf<T>());
        if constexpr (!kTakesNull<T>) buffers.misfits.push_back({row, NullMisfit(source.name, input.spec.name)});
      } else if (!ConvertElements<T>(view, row * source.width, source.width, cell)) {
        buffers.misfits.push_back(
            {row, RangeMisfit(source.name, input.spec.name, engine::ElementTypeName(input.spec.type))});
      }
    }
    offset += source.width;
  }
}

void ModelInputs::FillStrings(const Input& input, int64_t rows, Buffers& buffers, size_t index) const {
  auto& strings = buffers.inputs[index].strings;
  strings.clear();
  const bool variable = input.variable;
  if (variable) {
    auto& buffer = buffers.inputs[index];
    buffer.row_begin.assign(1, 0);
    buffer.row_shapes = buffers.sources[0]->row_shapes;
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t s = 0; s < input.sources.size(); ++s) {
      const auto& view = *buffers.sources[s];
      const int64_t begin = variable ? view.row_offsets[row] : row * input.sources[s].width;
      const int64_t end = variable ? view.row_offsets[row + 1] : begin + input.sources[s].width;
      for (int64_t element = begin; element < end; ++element) strings.push_back(view.string(element));
      if (!view.IsValid(row)) buffers.misfits.push_back({row, NullMisfit(input.sources[s].name, input.spec.name)});
    }
    if (variable) buffers.inputs[index].row_begin.push_back(static_cast<int64_t>(strings.size()));
  }
}

void ModelInputs::Fill(const Preprocessor& preprocessor, const Preprocessor::Workspace& workspace, int64_t rows,
                       Buffers& buffers) const {
  const auto& pipeline = preprocessor.pipeline();
  buffers.inputs.resize(inputs_.size());
  buffers.misfits.clear();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const auto& input = inputs_[i];
    auto& buffer = buffers.inputs[i];
    if (!input.variable && input.spec.type != ElementType::kString) {
      buffer.bytes.resize(static_cast<size_t>(rows * input.width) * engine::ElementSize(input.spec.type));
    }
    if (!input.matrix.empty()) {
      if (input.spec.type == ElementType::kFloat32) {
        pipeline.WriteMatrix(input.matrix, rows, workspace.features, reinterpret_cast<float*>(buffer.bytes.data()));
      } else {
        pipeline.WriteMatrix(input.matrix, rows, workspace.features, reinterpret_cast<double*>(buffer.bytes.data()));
      }
      continue;
    }
    buffers.sources.resize(input.sources.size());
    buffers.results.resize(input.sources.size());
    for (size_t s = 0; s < input.sources.size(); ++s) {
      const auto& source = input.sources[s];
      if (source.feature) {
        buffers.results[s] = pipeline.Result(source.index, workspace.features);
        buffers.sources[s] = &buffers.results[s];
      } else {
        buffers.sources[s] = &workspace.columns[static_cast<size_t>(source.index)];
      }
    }
    switch (input.spec.type) {
      case ElementType::kFloat32:
        FillAs<float>(input, rows, buffers, i);
        break;
      case ElementType::kFloat64:
        FillAs<double>(input, rows, buffers, i);
        break;
      case ElementType::kFloat16:
        FillAs<Half>(input, rows, buffers, i);
        break;
      case ElementType::kBFloat16:
        FillAs<Bfloat16>(input, rows, buffers, i);
        break;
      case ElementType::kInt8:
        FillAs<int8_t>(input, rows, buffers, i);
        break;
      case ElementType::kInt16:
        FillAs<int16_t>(input, rows, buffers, i);
        break;
      case ElementType::kInt32:
        FillAs<int32_t>(input, rows, buffers, i);
        break;
      case ElementType::kInt64:
        FillAs<int64_t>(input, rows, buffers, i);
        break;
      case ElementType::kUInt8:
      case ElementType::kBoolean:
        FillAs<uint8_t>(input, rows, buffers, i);
        break;
      case ElementType::kUInt16:
        FillAs<uint16_t>(input, rows, buffers, i);
        break;
      case ElementType::kUInt32:
        FillAs<uint32_t>(input, rows, buffers, i);
        break;
      case ElementType::kUInt64:
        FillAs<uint64_t>(input, rows, buffers, i);
        break;
      case ElementType::kString:
        FillStrings(input, rows, buffers, i);
        break;
    }
  }
}

void ModelInputs::FillBlank(Buffers& buffers) const {
  static constexpr int64_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  buffers.inputs.resize(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const auto width = static_cast<size_t>(inputs_[i].variable ? 1 : inputs_[i].width);
    auto& buffer = buffers.inputs[i];
    buffer.bytes.assign(width * engine::ElementSize(inputs_[i].spec.type), std::byte{});
    buffer.strings.assign(width, {});
    buffer.row_begin = {0, 1};
    buffer.row_shapes = kOnes;
  }
}

void ModelInputs::View(int64_t first, int64_t rows, int64_t padded_rows, Buffers& buffers,
                       std::vector<engine::TensorView>& views) const {
  views.resize(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const auto& input = inputs_[i];
    auto& buffer = buffers.inputs[i];
    auto& view = views[i];
    view.type = input.spec.type;
    view.shape.clear();
    if (batched_) view.shape.push_back(padded_rows);
    int64_t begin = first * input.width;
    if (input.variable) {
      begin = buffer.row_begin[static_cast<size_t>(first)];
      const size_t rank = input.row_shape.size();
      const int64_t* shape = buffer.row_shapes + static_cast<size_t>(first) * rank;
      view.shape.insert(view.shape.end(), shape, shape + rank);
    } else {
      view.shape.insert(view.shape.end(), input.row_shape.begin(), input.row_shape.end());
      const size_t needed = static_cast<size_t>((first + padded_rows) * input.width);
      if (padded_rows > rows) {
        if (input.spec.type == ElementType::kString) {
          buffer.strings.resize(std::max(buffer.strings.size(), needed));
        } else {
          buffer.bytes.resize(std::max(buffer.bytes.size(), needed * engine::ElementSize(input.spec.type)));
        }
      }
    }
    view.data = buffer.bytes.data() + static_cast<size_t>(begin) * engine::ElementSize(input.spec.type);
    view.strings = buffer.strings.data() + (input.spec.type == ElementType::kString ? begin : 0);
  }
}

}  // namespace slipway::scoring
