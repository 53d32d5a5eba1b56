#pragma once
// Errors that the server itself answers, and the shape they take.

#include <string_view>

#include "net/http_message.h"

namespace slipway::net {

/// A refusal. Texts are literals.
struct HttpFault {
  int status = 0;           ///< 0: none
  std::string_view code;    ///< stable and dotted: "http.body_too_large"
  std::string_view detail;  ///< one sentence with the way out

  explicit operator bool() const { return status != 0; }
};

/// Writes a fault into a response (status, content type, body). Routes of foreign protocols bring their own.
using FaultShape = void (*)(const HttpFault& fault, const Request& request, Response& response);

/// RFC 9457: application/problem+json with type, title, status, detail, code, request_id.
void WriteProblem(const HttpFault& fault, const Request& request, Response& response);

}  // namespace slipway::net
