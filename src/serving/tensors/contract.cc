#include "serving/tensors/contract.h"

#include <algorithm>
#include <atomic>

namespace slipway::serving::tensors {
namespace {

constexpr int64_t kTableBytes = int64_t{256} << 20;

const engine::TensorSpec* FindSpec(const std::vector<engine::TensorSpec>& specs, std::string_view name) {
  const auto found = std::ranges::find(specs, name, &engine::TensorSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

/// The shape as the model declares it, the number of rows open whatever the export fixed it to.
std::vector<int64_t> ShapeOf(const engine::TensorSpec& spec, bool batched) {
  std::vector<int64_t> shape = spec.shape;
  if (batched && !shape.empty()) shape[0] = -1;
  return shape;
}

/// Rows, then the shape of a row: a scalar counts as [1].
std::vector<int64_t> ShapeOf(const data::Field& field) {
  std::vector<int64_t> shape = {-1};
  shape.insert(shape.end(), field.type.shape.begin(), field.type.shape.end());
  if (field.type.is_scalar()) shape.push_back(1);
  return shape;
}

Port InputPort(const scoring::Contract& bundle, int index) {
  const auto& rules = bundle.schema.columns[static_cast<size_t>(index)];
  const auto& model = bundle.model;
  const auto* spec = bundle.manifest.has_inputs ? nullptr : FindSpec(model.inputs, rules.field.name);
  Port port;
  port.name = rules.field.name;
  port.field = index;
  port.datatype = spec != nullptr ? DatatypeOf(spec->type) : DatatypeOf(rules.field);
  port.shape = spec != nullptr ? ShapeOf(*spec, model.batched) : ShapeOf(rules.field);
  port.rows_first = spec == nullptr || model.batched;
  port.optional = rules.may_be_absent();
  port.nan_is_missing = rules.field.type.scalar == data::ScalarType::kNumber && rules.field.type.is_scalar() &&
                        !rules.allow_non_finite && rules.missing != schema::Missing::kReject;
  return port;
}

Port OutputPort(const scoring::Contract& bundle, int index) {
  const auto& field = bundle.output_fields[static_cast<size_t>(index)];
  const auto& model = bundle.model;
  const bool own = bundle.manifest.outputs.empty() && (model.batched || !bundle.manifest.has_inputs);
  const auto* spec = own ? FindSpec(model.outputs, field.name) : nullptr;
  const bool as_declared = spec != nullptr && spec->kind == engine::TensorSpec::Kind::kTensor;
  Port port;
  port.name = field.name;
  port.field = index;
  port.datatype = as_declared ? DatatypeOf(spec->type) : DatatypeOf(field);
  port.shape = as_declared ? ShapeOf(*spec, model.batched) : ShapeOf(field);
  port.rows_first = !as_declared || model.batched;
  port.labels = field.labels;
  return port;
}

}  // namespace

std::string Shape::ToString() const {
  std::string text = "[";
  for (size_t i = 0; i < rank; ++i) {
    if (i != 0) text += ',';
    text += std::to_string(dimensions[i]);
  }
  return text + "]";
}

Contract Contract::Of(const scoring::Contract& bundle) {
  static std::atomic<uint64_t> last_serial{0};
  Contract contract;
  contract.serial = ++last_serial;
  contract.batched = bundle.model.batched || bundle.manifest.has_inputs;
  // Columns that a request leaves out cost memory too.
  const int64_t most = std::max<int64_t>(1, kTableBytes / data::RowBytes(bundle.layout.fields()));
  contract.max_rows = contract.batched ? std::min(bundle.manifest.limits.max_batch_rows, most) : 1;
  for (int i = 0; i < bundle.layout.size(); ++i) contract.inputs.push_back(InputPort(bundle, i));
  for (int i = 0; i < static_cast<int>(bundle.output_fields.size()); ++i) {
    contract.outputs.push_back(OutputPort(bundle, i));
  }
  return contract;
}

int Contract::FindOutput(std::string_view name) const {
  const auto found = std::ranges::find(outputs, name, &Port::name);
  return found == outputs.end() ? -1 : static_cast<int>(found - outputs.begin());
}

}  // namespace slipway::serving::tensors
