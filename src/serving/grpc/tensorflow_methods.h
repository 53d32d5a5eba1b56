#pragma once
// tensorflow.serving.PredictionService and ModelService.GetModelStatus. docs/protocols/grpc.md describes them.

#include "live/live_set.h"
#include "serving/grpc/method_table.h"
#include "serving/predictor.h"

namespace slipway::serving::grpc {

/// Adds their methods. Predictor and live set outlive the table. `threads`: all that serve in this process.
void AddTensorflowMethods(Predictor& predictor, const live::LiveSet& live, int threads, MethodTable& methods);

}  // namespace slipway::serving::grpc
