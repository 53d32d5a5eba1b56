#pragma once
// Whether a server greets whoever connects, as MySQL's do: their client, as DuckDB has it, waits for that without end.

#include <chrono>
#include <string>

#include "base/error.h"

namespace slipway::tables::duckdb {

/// Connects by TCP, waits for the first byte and hangs up. Errors: unavailable "tables.connection", with the reason
/// alone.
base::Result<void> AwaitGreeting(const std::string& host, const std::string& port, std::chrono::milliseconds patience);

}  // namespace slipway::tables::duckdb
