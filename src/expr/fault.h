#pragma once
// Fault is an error that knows where in the expression it stands.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::expr {

/// Bytes [begin, end) of the expression's text.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

struct Fault {
  std::string_view reason;  ///< "expr.syntax", …; a literal
  std::string message;
  Span span;
};

template <typename T>
using Checked = std::expected<T, Fault>;

inline std::unexpected<Fault> SyntaxFault(Span span, std::string message) {
  return std::unexpected(Fault{"expr.syntax", std::move(message), span});
}
inline std::unexpected<Fault> TypeFault(Span span, std::string message) {
  return std::unexpected(Fault{"expr.type", std::move(message), span});
}
inline std::unexpected<Fault> NameFault(Span span, std::string message) {
  return std::unexpected(Fault{"expr.unknown_name", std::move(message), span});
}
inline std::unexpected<Fault> LimitFault(Span span, std::string message) {
  return std::unexpected(Fault{"expr.limit", std::move(message), span});
}

/// The message, then the faulty line of the expression (cut to a window when long), then a caret line:
///   unknown name "dep_tme" (did you mean "dep_time"?)
///     hour(dep_tme) > 5
///          ^~~~~~~
base::Error Render(std::string_view text, const Fault& fault);

}  // namespace slipway::expr
