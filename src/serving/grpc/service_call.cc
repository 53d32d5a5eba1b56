#include "serving/grpc/service_call.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "serving/http_status.h"

namespace slipway::serving::grpc {
namespace {

// As gRPC's own trailers are called.
constexpr std::string_view kStatus = "grpc-status", kMessage = "grpc-message";

}  // namespace

rpc::Status StatusOf(base::Code code) {
  using base::Code;
  using rpc::Status;
  switch (code) {
    case Code::kInvalidArgument:
      return Status::kInvalidArgument;
    case Code::kNotFound:
      return Status::kNotFound;
    case Code::kAlreadyExists:
      return Status::kAlreadyExists;
    case Code::kFailedPrecondition:
      return Status::kFailedPrecondition;
    case Code::kOutOfRange:
      return Status::kOutOfRange;
    case Code::kUnimplemented:
      return Status::kUnimplemented;
    case Code::kInternal:
      return Status::kInternal;
    case Code::kUnavailable:
      return Status::kUnavailable;
    case Code::kDeadlineExceeded:
      return Status::kDeadlineExceeded;
    case Code::kResourceExhausted:
      return Status::kResourceExhausted;
    case Code::kCancelled:
      return Status::kCancelled;
    case Code::kPermissionDenied:
      return Status::kPermissionDenied;
    case Code::kUnauthenticated:
      return Status::kUnauthenticated;
    case Code::kDataLoss:
      return Status::kDataLoss;
    case Code::kAborted:
      return Status::kAborted;
  }
  return Status::kUnknown;
}

std::string_view StatusName(rpc::Status status) {
  constexpr std::string_view kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[static_cast<size_t>(status)];
}

void ServiceCall::Fail(const base::Error& error) {
  response.status = HttpStatusOf(error);
  response.AddHeader(kStatus, std::to_string(static_cast<int>(StatusOf(error.code))));
  response.AddHeader(kMessage, error.Text());
}

Failure FailureOf(const net::Response& response) {
  const std::string_view lines = response.header_text();
  const auto value = [&](std::string_view name) -> std::string_view {
    size_t at = lines.find(name);
    while (at != std::string_view::npos && at > 0 && lines[at - 1] != '\n') at = lines.find(name, at + 1);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = lines.substr(std::min(lines.size(), at + name.size() + 2));
    return rest.substr(0, rest.find("\r\n"));
  };
  const auto status = base::ParseInt64(value(kStatus));
  if (!status) return {};
  return {static_cast<rpc::Status>(*status), value(kMessage)};
}

void WriteFault(const net::HttpFault& fault, const net::Request& request, net::Response& response) {
  using base::Code;
  const Code code = fault.status == 503   ? Code::kUnavailable
                    : fault.status == 429 ? Code::kResourceExhausted
                    : fault.status == 504 ? Code::kDeadlineExceeded
                                          : Code::kInternal;
  ServiceCall(request, response).Fail({code, std::string(fault.code), std::string(fault.detail), ""});
}

}  // namespace slipway::serving::grpc
