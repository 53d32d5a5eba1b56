#pragma once
// Finds keys of a column that cannot stand together, before anything is compiled from them.

#include <functional>
#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "schema/schema.h"

namespace slipway::schema {

/// Whether `key` says anything about columns of this type: "pattern" does for strings, "min" for what has an order.
/// The error names the types it is for; reason "manifest.contradiction".
base::Result<void> CheckKeyApplies(std::string_view key, const ColumnRules& column, const base::Position& position);

/// Errors: reasons "manifest.contradiction", "manifest.value", "manifest.limit", at the position of the key at fault.
base::Result<void> CheckContradictions(const ColumnRules& column,
                                       const std::function<base::Position(std::string_view key)>& position_of);

}  // namespace slipway::schema
