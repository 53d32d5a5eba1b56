#pragma once
// What a database says through DuckDB, as a fault that tells who said it and the way out.

#include "base/error.h"
#include "tables/database_address.h"

namespace slipway::tables::duckdb {

/// `error`: of a Session. Unavailable "tables.connection" and "tables.login" where the same may go well later; for
/// others the code stays.
base::Error Told(const DatabaseAddress& address, base::Error error);

}  // namespace slipway::tables::duckdb
