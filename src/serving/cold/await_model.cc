#include "serving/cold/await_model.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "net/route_table.h"
#include "serving/prediction_call.h"

namespace slipway::serving {

base::Result<void> AwaitModel(Predictor& predictor, const std::shared_ptr<const live::LoadedModel>& model,
                              const net::Request& request, net::Response& response) {
  ColdStarts* const cold = predictor.cold_starts();
  const ServedModel::Waited* const waited = predictor.waited(request.thread);
  if (cold == nullptr || (waited != nullptr && waited->what == ServedModel::WaitedFor::kLoadInVain)) {
    return std::unexpected(predictor.NotLoaded(*model));
  }
  return cold->Await(
      model, request, response, [&predictor](ColdStarts::End end, const net::Request& again, net::Response& answer) {
        using For = ServedModel::WaitedFor;
        const auto scope =
            predictor.Take(again.thread, {.since = predictor.clock().Now(),
                                          .priority = PriorityOf(again),
                                          .what = end == ColdStarts::End::kChanged ? For::kLoad : For::kLoadInVain});
        again.route->handler(again, answer);
      });
}

base::Result<bool> HasContract(Predictor& predictor, const std::shared_ptr<const live::LoadedModel>& model,
                               const net::Request& request, net::Response& response) {
  if (model->contract->whole) return true;
  auto waits = AwaitModel(predictor, model, request, response);
  if (waits) return false;
  AddRetryAfter(predictor, *model, response);
  return std::unexpected(std::move(waits).error());
}

void AddRetryAfter(const Predictor& predictor, const live::LoadedModel& model, net::Response& response) {
  constexpr int64_t kLater = 30;  // its files must change first
  int64_t seconds = 1;
  if (!model.failure) {
    if (predictor.cold_starts() != nullptr) seconds = predictor.cold_starts()->RetryAfterSeconds(model);
  } else if (model.next_try == base::SteadyTime::max()) {
    seconds = kLater;
  } else {
    seconds = std::chrono::ceil<std::chrono::seconds>(model.next_try - predictor.clock().Now()).count();
  }
  response.AddHeader("Retry-After", std::to_string(std::max<int64_t>(seconds, 1)));
}

}  // namespace slipway::serving
