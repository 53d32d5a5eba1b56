#pragma once
// Overload resolution: which of a function's argument combinations a call means, and what to say when none fits.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/type.h"
#include "expr/functions.h"

namespace slipway::expr {

/// Static type of a value in an expression.
struct ValueType {
  data::ScalarType scalar = data::ScalarType::kNumber;
  bool untyped = false;             ///< the literal null
  bool constant = false;            ///< known now and not null
  std::optional<int> zone_minutes;  ///< of timestamps; none: takes that of its surroundings, UTC at last
};

/// "integer", …, "null".
std::string_view TypeName(const ValueType& type);

struct Choice {
  const Overload* overload = nullptr;  ///< nullptr: none fits
  std::string message;                 ///< why not, with a hint
  int argument = -1;                   ///< the one at fault, -1: the call as a whole
};
Choice Resolve(const Function& function, std::span<const ValueType> args);

/// Type of argument `index` and of the result of an overload.
data::ScalarType ParameterType(const Overload& overload, size_t index);
data::ScalarType ResultType(const Overload& overload);

}  // namespace slipway::expr
