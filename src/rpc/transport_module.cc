#include "rpc/transport_module.h"

#include <utility>

#include "base/library.h"

namespace slipway::rpc {
namespace {

base::Result<base::SharedLibrary> OpenModule() {
  auto library = base::SharedLibrary::Open("slipway_grpc", "SLIPWAY_GRPC");
  if (library) return library;
  return base::Fail(base::Code::kUnavailable, "grpc.module",
                    "gRPC needs the module libslipway_grpc.so and the library libgrpc++ (on Debian: apt install "
                    "libgrpc++1.51): " +
                        library.error().message);
}

}  // namespace

base::Result<void> CheckTransportModule() {
  SLIPWAY_TRY(OpenModule());
  return {};
}

base::Result<std::unique_ptr<Transport>> OpenTransport(const TransportOptions& options, Service& service) {
  SLIPWAY_ASSIGN(const auto library, OpenModule());
  const auto make = reinterpret_cast<MakeTransport>(library.Symbol("slipway_grpc_transport"));
  std::string error = "it has no symbol slipway_grpc_transport";
  Transport* made = make == nullptr ? nullptr : make(kTransportAbi, options, service, error);
  if (made != nullptr) return std::unique_ptr<Transport>(made);
  return base::Fail(
      base::Code::kUnavailable, "grpc.module",
      "the module " + library.path() + " cannot be used: " + error + "; install the one that belongs to this program");
}

}  // namespace slipway::rpc
