#pragma once
// The one table that says which paths exist, who may use them, what they cost at most and who answers.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/http_fault.h"
#include "net/http_message.h"

namespace slipway::net {

/// Answers a request on the io thread, to completion: it must not block. Called from several threads at once.
using Handler = std::function<void(const Request& request, Response& response)>;

/// Answers one request while its body arrives, on the io thread. All calls get the same request and response.
///
/// Calls: Start, OnBody per piece, OnEnd, OnDone; OnDone may come early, when the peer goes or the body breaks off.
/// The answer: what is appended to response.body is sent from time to time. Until response.begun is set the status,
/// content type and headers may be chosen as in a Handler, and an error answer may replace everything; from then on an
/// error is a last piece of text, behind which the connection breaks off, so that no client takes the answer for whole.
class StreamedAnswer {
 public:
  virtual ~StreamedAnswer() = default;
  /// Each returns false when the response now ends in an error; no call follows then. OnBody() and OnEnd() may leave
  /// their work to another thread: they set response.later, as a Handler does, and return true. Until that LateAnswer
  /// is finished only HeldBytes() and OnDone() are called, by which it may be over; then its `fill`, and OnWorked().
  virtual bool Start(const Request& request, Response& response) = 0;
  virtual bool OnBody(std::string_view piece, const Request& request, Response& response) = 0;
  virtual bool OnEnd(const Request& request, Response& response) = 0;
  /// What was left to another thread is done: ends as the call that left it there would have.
  virtual bool OnWorked(const Request&, Response&) { return true; }
  /// Bytes of the body kept between calls.
  virtual int64_t HeldBytes() const { return 0; }
  /// The body broke off after the answer had begun: says so in the text.
  virtual void OnFault(const HttpFault& fault, const Request& request, Response& response) = 0;
  /// It is over, however it ended: called once, before HttpServerOptions::on_answer, after which comes the destructor.
  virtual void OnDone(const Request& request, const Response& response) = 0;
};

/// nullptr: this request is to be handled whole.
using StreamOpener = std::function<std::unique_ptr<StreamedAnswer>(const Request& request)>;

struct Route {
  Method method = Method::kGet;  ///< GET answers HEAD too; OPTIONS is answered by the server
  /// "/models/{model}": a {parameter} stands for one non-empty path segment, or for a part of it between literals
  /// ("/v1/models/{model}:predict"). Where several patterns match, the one with more literal text wins.
  std::string pattern;
  std::string permission;  ///< what the caller must be allowed: "public", "observe", "predict", "operate"; never empty
  Handler handler;
  /// For bodies that do not arrive whole at once, or are larger than body_bytes. The same bytes get the same answer.
  StreamOpener stream = {};
  std::string door = "native";             ///< the protocol, as metrics and logs name it
  std::optional<int64_t> body_bytes = {};  ///< instead of HttpLimits::body_bytes
  bool requires_body = false;              ///< 411 when the request announces none
  FaultShape fault_shape = &WriteProblem;  ///< of errors that the server itself answers on this route
  int index = 0;                           ///< set by the table: 0 to RouteTable::size() - 1
};

/// Filled before the server starts, then only read. Thread-safety: const access.
class RouteTable {
 public:
  /// From now on Add() leaves routes with other permissions out, as if there were no such path: for listeners that
  /// serve a part of the routes.
  void AdmitOnly(std::vector<std::string> permissions) { admitted_ = std::move(permissions); }
  bool Admits(std::string_view permission) const;
  /// Errors: "net.route" when the permission, handler or pattern is missing or malformed, or the route exists.
  base::Result<void> Add(Route route);

  struct Match {
    const Route* route = nullptr;
    std::string_view allow;                  ///< methods of the path, when it exists: "GET, HEAD, OPTIONS"
    bool broken_parameter = false;           ///< a percent escape in a parameter is broken
    FaultShape fault_shape = &WriteProblem;  ///< of the path, also when the method did not match
  };
  /// Fills request.parameters. A HEAD is looked up as GET.
  Match Find(Method method, std::string_view path, Request& request) const;

  size_t size() const { return count_; }
  /// All routes, in the order added.
  std::vector<const Route*> All() const;

 private:
  static constexpr size_t kMaxSegments = 16;
  struct Segment {
    std::string prefix, parameter, suffix;  ///< without parameter: prefix is the whole segment
    bool Matches(std::string_view text) const;
  };
  struct Path {
    std::string pattern;
    std::vector<Segment> segments;
    size_t literals = 0;  ///< characters of literal text
    std::vector<std::unique_ptr<Route>> routes;
    std::string allow;
  };
  static base::Result<std::vector<Segment>> ParsePattern(const std::string& pattern);
  const Path* FindPath(std::string_view path, std::string_view (&texts)[kMaxSegments]) const;

  std::vector<std::unique_ptr<Path>> paths_;                                  ///< more literal text first
  std::array<std::vector<const Path*>, kMaxSegments + 1> paths_by_segments_;  ///< the same order
  size_t count_ = 0;
  std::vector<std::string> admitted_;  ///< empty: all
};

}  // namespace slipway::net
