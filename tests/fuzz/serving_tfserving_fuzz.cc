// Any body to :predict, :classify and :regress of bundles of each kind.

#include <cstdint>
#include <cstdlib>

#include "serving/tfserving/predict_calls.h"
#include "serving_doors.h"

using slipway::serving::FuzzService;
namespace tfserving = slipway::serving::tfserving;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  static FuzzService service;
  static const tfserving::PredictCalls calls(service.predictor(), service.live());
  slipway::net::Request request;
  request.parameter_count = 1;
  request.parameters[0].name = "model";
  request.parameters[0].value = FuzzService::kModels[bytes[0] % std::size(FuzzService::kModels)];
  request.body = std::string_view(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto method = static_cast<tfserving::Method>((bytes[0] >> 4) % 3);
  FuzzService::Call(request, [&](const auto& q, auto& r) { calls.Handle(method, q, r); });
  return 0;
}
