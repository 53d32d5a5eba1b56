#pragma once
// An answer that is the same whatever was asked: what a manifest's fallback says instead of the model.

#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/manifest.h"
#include "data/column.h"
#include "data/type.h"

namespace slipway::scoring {

/// One row with the fields of a prediction; those that `constant` (a map) does not name are null. Errors:
/// "manifest.fallback", with the field that has no such value.
base::Result<data::Table> MakeConstantAnswer(const std::vector<data::Field>& fields, const base::Value& constant);

/// The fields of a prediction as the constants of the manifest's fallback write them, for when the model cannot be
/// asked what its outputs are. Errors: not_found "manifest.fallback": there is no constant, one has a value that is not
/// plain, or without `inputs:` only the model knows what it is asked.
base::Result<std::vector<data::Field>> FieldsOfConstants(const bundle::Manifest& manifest);

}  // namespace slipway::scoring
