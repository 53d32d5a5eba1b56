#pragma once
// What GET /models and GET /models/{model} say.

#include "base/value.h"
#include "live/live_set.h"
#include "serving/predictor.h"

namespace slipway::serving::rest {

/// {"models":[{"name","stable","versions":[…]}],"bundles":[{"source","state",…}]}
base::Value DescribeModels(const live::LiveSet& live, const Predictor& predictor);

/// The contract of one version: inputs and rules in the manifest's words, outputs, limits, what it is and where from,
/// and the versions beside it.
base::Value DescribeModel(const live::LoadedModel& model, const live::Snapshot& snapshot);

}  // namespace slipway::serving::rest
