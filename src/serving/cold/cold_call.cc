// A call whose version is not loaded: it waits for that, another answers in its place, or it is refused.

#include <string_view>
#include <utility>

#include "serving/cold/await_model.h"
#include "serving/prediction_call.h"

namespace slipway::serving {

/// `error`: why there is no model to ask.
void PredictionCall::ServeUnloaded(base::Error error) {
  const auto model = predictor_.unloaded(request_.thread);
  if (model == nullptr) return RefuseUnloaded(error, nullptr);
  if (const std::string_view code = Refuse(); !code.empty()) {
    predictor_.note(request_.thread).code = code;
    return;
  }
  if (!model->failure) {
    const auto waits = AwaitModel(predictor_, model, request_, response_);
    if (waits) return;
    error = waits.error();
  }
  if (error.code == base::Code::kUnavailable && FallBackFromUnloaded(model)) return;
  RefuseUnloaded(error, model.get());
}

void PredictionCall::RefuseUnloaded(const base::Error& error, const live::LoadedModel* model) {
  RequestNote& note = predictor_.note(request_.thread);
  note.code = error.reason;
  if (model != nullptr) {
    AddRetryAfter(predictor_, *model, response_);
    predictor_.CountUnloaded(request_.thread, door_, *model, error);
  }
  WriteError(error);
}

}  // namespace slipway::serving
