#pragma once
// What the tests of this room say: bind values to names, evaluate, read the answer as text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "expr/program.h"

namespace slipway::expr {

/// A column of one row under a name.
struct Bound {
  Symbol symbol;
  data::Column column;
};
Bound Number(std::string name, double value);
Bound Integer(std::string name, int64_t value);
Bound Text(std::string name, std::string_view value);
Bound Boolean(std::string name, bool value);
Bound Time(std::string name, std::string_view iso, int zone_minutes = 0);
Bound Null(std::string name, data::ScalarType type);
Bound Vector(std::string name, const std::vector<double>& values, std::vector<std::string> labels = {});

/// The result on one row: `3`, `3.0`, `nan`, `'text'`, `true`, `2013-07-04T08:15:00Z`, `null`; or the error. The row is
/// evaluated alone and 700 times in one batch; unless all answers are the same it says so.
std::string Value(std::string_view text, const std::vector<Bound>& bound = {});

/// "reason: message" of an expression that does not compile; "compiles" otherwise.
std::string Refusal(std::string_view text, const std::vector<Bound>& bound = {});

/// Row `row` of a result in the form of Value().
std::string Shown(const data::ColumnView& view, int64_t row);

}  // namespace slipway::expr
