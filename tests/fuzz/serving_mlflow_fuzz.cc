// Any body to /invocations, as JSON and as CSV, of bundles of each kind.

#include <cstdint>
#include <cstdlib>

#include "serving/mlflow/invocations.h"
#include "serving_doors.h"

using slipway::serving::FuzzService;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  static FuzzService service;
  static const slipway::serving::mlflow::Invocations invocations(service.predictor());
  slipway::net::Request request;
  request.headers.push_back({"Slipway-Model", FuzzService::kModels[bytes[0] % std::size(FuzzService::kModels)]});
  if (bytes[0] & 16) request.headers.push_back({"Content-Type", "text/csv"});
  request.body = std::string_view(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  FuzzService::Call(request, [&](const auto& q, auto& r) { invocations.Handle(q, r); });
  return 0;
}
