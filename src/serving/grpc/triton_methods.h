#pragma once
// inference.GRPCInferenceService, as Triton's and KServe's clients call it. docs/protocols/grpc.md describes it.

#include "serving/grpc/method_table.h"
#include "serving/oip/oip_routes.h"

namespace slipway::serving::grpc {

/// Adds its methods. Where the table does not admit "operate", loading and unloading are refused with a word about
/// where they are taken.
void AddTritonMethods(const oip::OipRouteParts& parts, MethodTable& methods);

}  // namespace slipway::serving::grpc
