#pragma once
// The sections of a manifest, each read by one function. `where` of their errors is "line:column".

#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "bundle/manifest.h"

namespace slipway::bundle {

/// Names that `model.input` may take: features and columns. Empty when the manifest declares neither.
base::Result<ModelSpec> ParseModel(const base::Value& section, const std::vector<std::string>& names);

base::Result<std::vector<OutputSpec>> ParseOutputs(const base::Value& section);

base::Result<Limits> ParseLimits(const base::Value& section);

/// `golden.tolerance`.
base::Result<double> ParseGoldenTolerance(const base::Value& section);

/// `outputs`: as declared, for the fields that a constant answer may carry; empty: not declared.
base::Result<std::vector<FallbackStep>> ParseFallback(const base::Value& section,
                                                      const std::vector<OutputSpec>& outputs);

base::Result<void> CheckLineage(const base::Value& section);

/// A file name in the manifest: canonical, inside the bundle.
base::Result<std::string> ReadFileName(const base::Value& value, const std::string& key);

}  // namespace slipway::bundle
