#pragma once
// Wording: the words of violations. One place, so that every column and every door says the same.

#include <string>
#include <string_view>

#include "data/violation.h"
#include "schema/column_plan.h"

namespace slipway::schema {

/// What became of a value, for warnings.
enum class Outcome : uint8_t { kRejected, kKept, kToMin, kToMax, kImputed, kNull, kOther };

/// The code of a single fault.
data::ViolationCode CodeOf(Fault fault);

/// Path, value, rule and message of one fault of one value. `path` is the column's name, or an element's "pixels[3]".
/// `value` never appears for personal columns.
data::Violation DescribeFault(const ColumnPlan& column, Fault fault, std::string path, base::Value value,
                              Outcome outcome);

/// schema.missing (`absent`) or schema.null.
data::Violation DescribeMissing(const ColumnPlan& column, bool absent);

/// schema.rule: the manifest's message, or one made of the expression.
data::Violation DescribeRule(const CrossFieldRule& rule);

/// "; taken as null": what is appended to the message of a value that a policy lets pass.
std::string_view OutcomeWords(Outcome outcome);

}  // namespace slipway::schema
