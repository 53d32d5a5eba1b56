#pragma once
// RowAnswer: scored rows in the form that a caller of /predict asked for.

#include <cstdint>
#include <string>

#include "base/error.h"
#include "net/http_message.h"
#include "serving/rest/media_type.h"
#include "serving/served_model.h"

namespace slipway::serving::rest {

struct AnswerOptions {
  BodyForm form = BodyForm::kJson;
  std::string_view media_type;  ///< for Content-Type; a literal
  bool strict = false;          ///< any wrong row fails the request
  bool timing = false;          ///< JSON tells how long each phase took
};

/// Usage: Append() after each block scored, Finish() after the last. JSON lines and CSV are written as they come; JSON,
/// and whatever is strict, is settled by Finish().
/// Thread-safety: one thread. Ownership: the model outlives it.
class RowAnswer {
 public:
  RowAnswer(ServedModel& served, const AnswerOptions& options) : served_(&served), options_(options) {}
  /// Goes on with the same version on another thread.
  void Use(ServedModel& served) { served_ = &served; }

  /// Takes the rows just scored; whole lines are appended to `response.body`.
  void Append(const net::Request& request, net::Response& response);
  /// False: the response has become a problem, since all rows, or by `strict` any, were wrong.
  bool Finish(const net::Request& request, net::Response& response);
  /// A last line that says why no more will come.
  void AppendFailure(std::string_view code, std::string_view message, std::string& out);

 private:
  void AppendJson(const net::Request& request, std::string& out);
  void AppendCsv(std::string& out);
  void AppendCsvHeader(std::string& out);

  ServedModel* served_;
  const AnswerOptions options_;
  int64_t rows_ = 0, rejected_ = 0;
  bool begun_ = false;             ///< the CSV header, or the start of the JSON answer, is written
  std::string errors_, warnings_;  ///< `{"row":3,"violations":[…]},…`
};

/// One violation list: `[{…},…]`.
void AppendViolations(std::span<const data::Violation> violations, std::string& out);

}  // namespace slipway::serving::rest
