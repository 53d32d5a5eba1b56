#pragma once
// How unquoted YAML scalars get a type: YAML 1.2's core schema, with two safety rules of our own.

#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace slipway::bundle {

/// null, booleans, integers (decimal, 0x, 0o), numbers, .inf, .nan; everything else is text, also `no`, `yes` and `on`.
/// Digits with a leading zero (`007`) stay text: they are identifiers. Errors: an integer past 64 bits, a number past
/// the range of double.
base::Result<base::Value> TypePlainScalar(std::string_view text);

/// A scalar under an explicit core tag other than str (`!!int "5"`). Errors: the text is not of that type.
base::Result<base::Value> TypeTaggedScalar(std::string_view core_tag, std::string_view text);

}  // namespace slipway::bundle
