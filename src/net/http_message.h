#pragma once
// What handlers see of HTTP: a request that lives in the connection's buffer, and a response whose memory is reused.

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/peer_identity.h"
#include "telemetry/trace_context.h"

namespace slipway::net {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

/// "GET", …; "" for kOther.
std::string_view MethodName(Method method);
/// Methods are case-sensitive.
Method ParseMethod(std::string_view text);

struct HeaderField {
  std::string_view name;   ///< as sent
  std::string_view value;  ///< without surrounding white space
};

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

/// Whether a caller's id of a request is one that logs and answers may repeat.
bool IsSaneRequestId(std::string_view id);

struct Route;
class LateAnswer;

/// A whole request. All views are valid until the handler returns, or until the answer that was put off is written.
struct Request {
  static constexpr size_t kMaxParameters = 4;

  Method method = Method::kGet;  ///< kHead arrives as kGet at a GET handler, with `head_only` set
  bool head_only = false;
  std::string_view target;  ///< as sent
  std::string_view path;    ///< before '?', as sent
  std::string_view query;   ///< after '?', as sent
  std::vector<HeaderField> headers;
  std::string_view body;  ///< 64 bytes past its end may be read
  std::string_view remote_address;
  const PeerIdentity* peer_identity = nullptr;  ///< of a client whose certificate was verified
  std::string_view id;           ///< the caller's X-Request-Id when it is a sane one, else 32 hex digits of ours
  std::string_view traceparent;  ///< as sent; empty: none
  /// A span of ours in the caller's trace or in a new one, when HttpServerOptions::before_head set it.
  std::optional<telemetry::TraceContext> trace;
  base::SteadyTime received;
  base::SteadyTime deadline = base::SteadyTime::max();  ///< the caller's own, where its protocol has one
  std::chrono::nanoseconds waited{0};  ///< about how long, before that, for a thread with more than it can do
  int thread = 0;  ///< index of the io thread, 0 to HttpServer::threads() - 1: handlers keep workspaces by it
  const Route* route = nullptr;  ///< nullptr while none matched

  /// The first header of that name (any case), or an empty view.
  std::string_view Header(std::string_view name) const;
  /// A {parameter} of the route's pattern, percent-decoded; empty when there is none.
  std::string_view Parameter(std::string_view name) const;
  /// A decoded value of the query string, as it stands where its escapes are broken; nullopt when absent.
  std::optional<std::string> QueryValue(std::string_view name) const;

  struct PathParameter {
    std::string_view name, value;
    std::string decoded;  ///< holds the value when it had escapes
  };
  std::array<PathParameter, kMaxParameters> parameters;
  size_t parameter_count = 0;
};

/// The answer in the making. The server adds Content-Length, Date, Connection and X-Request-Id.
class Response {
 public:
  int status = 200;
  std::string_view content_type = "application/json";  ///< a literal, or text that outlives the server; empty: none
  std::string body;
  std::string_view fixed_body;  ///< sent instead of `body` when not empty; outlives the server
  bool close = false;           ///< end the connection after this answer
  bool begun = false;           ///< the head has been sent; set by the server
  bool in_vain = false;         ///< the request had waited too long for its turn: the newest are served first for now
  /// Set by a handler whose answer comes later (late_answer.h): called when it has returned; all else is ignored.
  std::function<void(LateAnswer)> later;

  /// Line breaks and other control characters in the value become '?'.
  void AddHeader(std::string_view name, std::string_view value);
  /// The same for whole lines, each with its CR LF, that the caller vouches for.
  void AddHeaderLines(std::string_view lines) { headers_ += lines; }
  const std::string& header_text() const { return headers_; }
  bool HasHeader(std::string_view name) const;  ///< as it was added, in that case
  std::string_view content() const { return fixed_body.empty() ? std::string_view(body) : fixed_body; }
  /// As new; memory is kept unless it had grown large.
  void Clear();

 private:
  std::string headers_;  ///< "Name: value\r\n"…
};

/// "OK", "Not Found", …
std::string_view StatusPhrase(int status);

}  // namespace slipway::net
