#pragma once
// An output that a request asked for, as a tensor: the model's own, or the classification of it.

#include "serving/oip/infer_head.h"
#include "serving/served_model.h"

namespace slipway::serving::oip {

struct OutputTensor {
  const tensors::Port* port;
  const data::Column* column;
  tensors::Datatype datatype;
  tensors::Shape shape;
};

/// Of what `served` has scored. `classes` is the memory of a classification, valid until the next. Errors:
/// "tensor.ragged", "tensor.classification".
base::Result<OutputTensor> ShowOutput(const RequestedOutput& asked, ServedModel& served, data::Column& classes);

/// The i-th output that the request asked for, and their number: all of the model's unless it named some.
RequestedOutput OutputAsked(const InferRequest& request, size_t i);
size_t OutputsAsked(const InferRequest& request, const tensors::Contract& contract);

}  // namespace slipway::serving::oip
