#include "serving/oip/infer_terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace slipway::serving::oip {
namespace {

std::unexpected<base::Error> Refuse(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "oip.request", std::move(message));
}

}  // namespace

bool IsSharedMemory(std::string_view parameter) {
  return parameter.starts_with("shared_memory");
}

base::Error NoSharedMemory() {
  return {base::Code::kUnimplemented, "oip.shared_memory",
          "this server offers no shared memory; send the data in the request", ""};
}

base::Result<void> AskForOutput(const tensors::Contract& contract, std::string_view name, RequestedOutput output,
                                std::vector<RequestedOutput>& outputs) {
  output.output = contract.FindOutput(name);
  if (output.output < 0) {
    std::vector<std::string> names;
    names.reserve(contract.outputs.size());
    for (const auto& port : contract.outputs) names.push_back(port.name);
    return Refuse(
        fmt::format("\"{}\" is no output of this model{}", base::Shorten(name), base::DidYouMean(name, names)));
  }
  // Each at most once, so that a request cannot ask for more than the model gives.
  if (std::ranges::find(outputs, output.output, &RequestedOutput::output) != outputs.end()) {
    return Refuse(fmt::format("output {} is asked for twice; ask once", name));
  }
  outputs.push_back(output);
  return {};
}

std::chrono::microseconds TimeoutOf(int64_t microseconds) {
  return std::chrono::microseconds(std::min(microseconds, int64_t{1} << 40));
}

base::Result<void> CheckRepositoryParameter(std::string_view name) {
  if (name == "unload_dependents") return {};
  return base::Fail(base::Code::kUnimplemented, "oip.repository",
                    "bundles are loaded as they were packed; parameters such as config and file:… are not taken");
}

}  // namespace slipway::serving::oip
