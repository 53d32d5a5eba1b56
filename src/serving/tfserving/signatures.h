#pragma once
// A bundle as TensorFlow Serving describes models: signatures with typed tensors, and versions with states.

#include <span>
#include <string>
#include <string_view>

#include "base/value.h"
#include "live/live_set.h"
#include "serving/tfserving/predict_calls.h"

namespace slipway::serving::tfserving {

/// Names that `signature_name` may have; the last one is the method's own.
std::span<const std::string_view> SignaturesOf(Method method);

/// GET …/metadata: {"model_spec":{…},"metadata":{"signature_def":{"signature_def":{…}}}}. A column is a tensor [-1];
/// the tensors of a bundle without columns or outputs of its own are the model's.
base::Value DescribeMetadata(const live::LoadedModel& model);

/// {"name","ready","model_version_status":[…]}: what TensorFlow Serving says of versions, and KServe's version 1 of
/// models. `all`: every version of the model's name, newest first, instead of this one. Precondition: the snapshot has
/// it.
base::Value DescribeStatus(const live::Snapshot& snapshot, const live::LoadedModel& model, bool all);

}  // namespace slipway::serving::tfserving
