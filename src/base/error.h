#pragma once
// Error says what went wrong in a form that every door can show: a canonical code for machines, a stable reason for
// scripts, a sentence for people. Result<T> carries either a value or an Error; Result<void> is a status.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace slipway::base {

/// The canonical codes (gRPC's set). The mapping to HTTP lives in serving, the mapping to exit codes in cli.
enum class Code : uint8_t {
  kInvalidArgument,
  kNotFound,
  kAlreadyExists,
  kFailedPrecondition,
  kOutOfRange,
  kUnimplemented,
  kInternal,
  kUnavailable,
  kDeadlineExceeded,
  kResourceExhausted,
  kCancelled,
  kPermissionDenied,
  kUnauthenticated,
  kDataLoss,
  kAborted,
};

/// "invalid_argument", "not_found", …
std::string_view CodeName(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string reason;   ///< stable, dotted, e.g. "bundle.digest_mismatch"
  std::string message;  ///< one sentence: static text first, the values, then the way out
  std::string where;    ///< where the fault stands, e.g. "slipway.yaml:14:9" or "inputs.distance"; empty when nowhere

  /// "where: message" or "message".
  std::string Text() const { return where.empty() ? message : where + ": " + message; }
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> Fail(Code code, std::string reason, std::string message, std::string where = {}) {
  return std::unexpected(Error{code, std::move(reason), std::move(message), std::move(where)});
}

}  // namespace slipway::base

#define SLIPWAY_CONCAT_INNER(a, b) a##b
#define SLIPWAY_CONCAT(a, b) SLIPWAY_CONCAT_INNER(a, b)

/// Returns the error of a Result expression from the enclosing function.
#define SLIPWAY_TRY(expression)                                  \
  do {                                                           \
    if (auto slipway_result = (expression); !slipway_result) {   \
      return std::unexpected(std::move(slipway_result).error()); \
    }                                                            \
  } while (false)

/// SLIPWAY_ASSIGN(auto x, MakeX()); assigns the value or returns the error.
#define SLIPWAY_ASSIGN(target, expression) \
  SLIPWAY_ASSIGN_INNER(SLIPWAY_CONCAT(slipway_result_, __LINE__), target, expression)
#define SLIPWAY_ASSIGN_INNER(name, target, expression)        \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  target = std::move(*name)
