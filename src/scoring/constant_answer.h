#pragma once
// An answer that is the same whatever was asked: what a manifest's fallback says instead of the model.

#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "data/column.h"
#include "data/type.h"

namespace slipway::scoring {

/// One row with the fields of a prediction; those that `constant` (a map) does not name are null. Errors:
/// "manifest.fallback", with the field that has no such value.
base::Result<data::Table> MakeConstantAnswer(const std::vector<data::Field>& fields, const base::Value& constant);

}  // namespace slipway::scoring
