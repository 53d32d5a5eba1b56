#pragma once
// A bundle as TensorFlow Serving describes models: signatures with typed tensors, and versions with states.

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "live/live_set.h"

namespace slipway::serving::tfserving {

enum class Method : uint8_t { kPredict, kClassify, kRegress };

/// The empty name means the method's own signature. Errors: "signature.unknown".
base::Result<void> CheckSignature(Method method, std::string_view name);
/// "signature.missing": the model has nothing that the method answers, `wanted`; `instead`: the one to use.
base::Error NoSuchOutput(std::string_view method, std::string_view wanted, std::string_view instead);
inline constexpr std::string_view kClassesWanted = "classes with scores among its outputs";
inline constexpr std::string_view kValueWanted = "single number among its outputs";

/// GET …/metadata: {"model_spec":{…},"metadata":{"signature_def":{"signature_def":{…}}}}. A column is a tensor [-1];
/// the tensors of a bundle without columns or outputs of its own are the model's.
base::Value DescribeMetadata(const live::LoadedModel& model);

/// {"name","ready","model_version_status":[…]}: what TensorFlow Serving says of versions, and KServe's version 1 of
/// models. `all`: every version of the model's name, newest first, instead of this one. Precondition: the snapshot has
/// it.
base::Value DescribeStatus(const live::Snapshot& snapshot, const live::LoadedModel& model, bool all);

}  // namespace slipway::serving::tfserving
