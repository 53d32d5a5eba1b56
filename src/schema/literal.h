#pragma once
// Literal: one value of a scalar column as manifests write it: a default, a bound, an allowed value, or what fit
// learned.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "data/type.h"

namespace slipway::schema {

/// Only the member of the column's type is meaningful; timestamps are in `integer`.
struct Literal {
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string text;
};

/// Reads `value` for a column of type and zone as `field`. Numbers take integers; integers take whole numbers within
/// +-2^53; timestamps take ISO 8601 text. The error says what the value is and what it should be ("min is "x": …");
/// reason "manifest.value"; `where` is the value's position.
base::Result<Literal> ReadLiteral(const base::Value& value, const data::Field& field, std::string_view what);

/// A value in a message: strings quoted and shortened, the others as in JSON.
std::string ValueText(const base::Value& value);
/// The shortest text of a number, without ".0": "10", "0.5", "1e+30", "NaN", "Infinity".
std::string NumberText(double value);
/// `2013-07-04T08:15:00Z`.
std::string TimestampText(int64_t microseconds);

}  // namespace slipway::schema
