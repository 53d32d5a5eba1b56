#include "serving/http_status.h"

namespace slipway::serving {

int HttpStatusOf(const base::Error& error) {
  using base::Code;
  if (error.reason.ends_with(".limit")) return 413;  // "json.limit", "csv.limit": more than this server takes
  switch (error.code) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return 400;
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kAborted:
      return 409;
    case Code::kResourceExhausted:
      return 429;
    case Code::kCancelled:
      return 499;
    case Code::kUnimplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kInternal:
    case Code::kDataLoss:
      return 500;
  }
  return 500;
}

void AddRetryAfter(net::Response& response) {
  constexpr std::string_view kName = "Retry-After";
  const bool wanted = response.status == 429 || response.status == 503;
  if (wanted && !response.HasHeader(kName)) response.AddHeader(kName, "1");
}

}  // namespace slipway::serving
