#pragma once
// A bundle's contract as JSON Schema 2020-12, the dialect of OpenAPI 3.1.

#include <vector>

#include "base/value.h"
#include "data/type.h"
#include "schema/schema.h"

namespace slipway::serving::openapi {

/// What a record may look like: a value that the schema repairs (clamp, impute, …) or only warns of is allowed, one
/// that gets the record refused is not. What JSON Schema cannot say stands in words: rules across columns, bounds of
/// timestamps, patterns that only RE2 understands.
base::Value RecordSchema(const schema::Schema& schema);

/// What a prediction looks like. Any field may be null.
base::Value PredictionSchema(const std::vector<data::Field>& fields);

}  // namespace slipway::serving::openapi
