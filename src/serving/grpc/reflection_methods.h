#pragma once
// grpc.reflection.v1.ServerReflection, and the same under its older name v1alpha.

#include "serving/grpc/method_table.h"

namespace slipway::serving::grpc {

/// Adds its methods, which tell of the services that the table has when this is called, and of themselves.
void AddReflectionMethods(MethodTable& methods);

}  // namespace slipway::serving::grpc
