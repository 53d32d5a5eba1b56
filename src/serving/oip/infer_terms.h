#pragma once
// What requests may ask for besides their tensors, the same in JSON and in gRPC's messages.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serving/oip/infer_head.h"
#include "serving/tensors/contract.h"

namespace slipway::serving::oip {

/// Whether a parameter of this name would have data come or go through shared memory, which is refused with
/// NoSharedMemory().
bool IsSharedMemory(std::string_view parameter);
/// unimplemented "oip.shared_memory"
base::Error NoSharedMemory();
/// Said of trace and log settings that somebody would change.
inline constexpr std::string_view kFixedSettings =
    "trace and log settings are options of slipway serve and fixed while it runs";
/// Said where models are loaded and unloaded by nobody.
inline constexpr std::string_view kOperatedOnAdmin =
    "models are loaded and unloaded on the admin listener (slipway serve --admin, for gRPC --grpc-admin)";

/// Adds the output of that name to those asked for. Errors: "oip.request" when the model has none, or it has been asked
/// for already.
base::Result<void> AskForOutput(const tensors::Contract& contract, std::string_view name, RequestedOutput output,
                                std::vector<RequestedOutput>& outputs);

/// The deadline that a parameter `timeout` of so many microseconds means, from now on at most 12 days away.
std::chrono::microseconds TimeoutOf(int64_t microseconds);

/// What may come with a load or unload. Errors: unimplemented "oip.repository" for what would change a bundle.
base::Result<void> CheckRepositoryParameter(std::string_view name);

}  // namespace slipway::serving::oip
