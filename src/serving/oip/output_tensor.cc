#include "serving/oip/output_tensor.h"

#include "serving/tensors/tensor_encoder.h"

namespace slipway::serving::oip {

RequestedOutput OutputAsked(const InferRequest& request, size_t i) {
  if (!request.outputs.empty()) return request.outputs[i];
  return {.output = static_cast<int>(i), .binary = {}};
}

size_t OutputsAsked(const InferRequest& request, const tensors::Contract& contract) {
  return request.outputs.empty() ? contract.outputs.size() : request.outputs.size();
}

base::Result<OutputTensor> ShowOutput(const RequestedOutput& asked, ServedModel& served, data::Column& classes) {
  const tensors::Port& port = served.tensors().contract.outputs[static_cast<size_t>(asked.output)];
  OutputTensor shown = {
      &port, &served.scores().predictions.columns[static_cast<size_t>(port.field)], port.datatype, {}};
  if (asked.classes > 0) {
    SLIPWAY_TRY(Classify(port, *shown.column, asked.classes, classes));
    shown.column = &classes;
    shown.datatype = tensors::Datatype::kBytes;
    shown.shape.Add(classes.rows());
    shown.shape.Add(classes.type().shape[0]);
  } else {
    SLIPWAY_ASSIGN(shown.shape, ShapeOf(port, *shown.column));
  }
  return shown;
}

}  // namespace slipway::serving::oip
