#pragma once
// ServiceCall: one message of a gRPC call, as handlers see it. A call is an HTTP request to the rest of the program:
// the log, traces, the cache and limits by route treat it as one, with the message as its body.

#include <functional>
#include <string_view>

#include "base/error.h"
#include "net/http_fault.h"
#include "net/http_message.h"
#include "net/route_table.h"
#include "rpc/transport.h"

namespace slipway::serving::grpc {

/// Lives until its handler returns. What it says stands in the response, so that an answer may come later and from
/// another thread, as HTTP's may (net::Response::later).
class ServiceCall {
 public:
  ServiceCall(const net::Request& request, net::Response& response) : request(request), response(response) {}

  /// Answers with an error, by the one table from errors to codes, and with the HTTP status that it has there, for the
  /// log and the health of this process. A stream whose response has a body all the same goes on: its message tells of
  /// the error in its own words.
  void Fail(const base::Error& error);

  const net::Request& request;
  net::Response& response;  ///< `body`: the message to answer with; header lines become metadata
};

/// What Fail() has said; kOk where it has not been called. A view into the response.
struct Failure {
  rpc::Status status = rpc::Status::kOk;
  std::string_view error;
};
Failure FailureOf(const net::Response& response);

/// The net::FaultShape of gRPC's methods.
void WriteFault(const net::HttpFault& fault, const net::Request& request, net::Response& response);

/// gRPC's code of an error: they are the same set.
rpc::Status StatusOf(base::Code code);

/// "OK", "INVALID_ARGUMENT", …
std::string_view StatusName(rpc::Status status);

using Handler = std::function<void(ServiceCall& call)>;

/// A method of a service.
struct Route : rpc::Method {
  net::Route http;  ///< path as pattern, permission, door, handler
};

}  // namespace slipway::serving::grpc
