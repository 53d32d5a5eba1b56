#pragma once
// What DuckDB's words for types mean.

#include <optional>
#include <string_view>

#include "data/type.h"

namespace slipway::tables::duckdb {

/// "DECIMAL(18,3)", "INTEGER[3][]"; none for types that no column of ours can hold.
std::optional<data::DataType> TypeOf(std::string_view stored);

/// Whether text made by us of this type says the same as in every other door; the rest is left to DuckDB's own cast.
bool HasOurText(std::string_view stored);

}  // namespace slipway::tables::duckdb
