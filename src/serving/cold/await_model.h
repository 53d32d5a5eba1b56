#pragma once
// For handlers whose model is not loaded.

#include <memory>

#include "base/error.h"
#include "net/http_message.h"
#include "serving/predictor.h"

namespace slipway::serving {

/// Puts the request off until a cold model is loaded; then its route's handler is called again. Errors, and it is not
/// put off: those of ColdStarts::Await; unavailable "model.cold" when it has waited in vain.
base::Result<void> AwaitModel(Predictor& predictor, const std::shared_ptr<const live::LoadedModel>& model,
                              const net::Request& request, net::Response& response);

/// The same for a handler that needs no more than the whole contract. True when that is there, false when the request
/// was put off. Errors: as AwaitModel(), with Retry-After added to the response.
base::Result<bool> HasContract(Predictor& predictor, const std::shared_ptr<const live::LoadedModel>& model,
                               const net::Request& request, net::Response& response);

/// When a call of a version that is not loaded may come again.
void AddRetryAfter(const Predictor& predictor, const live::LoadedModel& model, net::Response& response);

}  // namespace slipway::serving
