#pragma once
// Golden records that show callers what a model takes.

#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "data/layout.h"

namespace slipway::live {

/// The first records (at most three, JSON objects) of the bundle's golden.jsonl that were predicted and hold no value
/// of a personal column.
std::vector<std::string> GoldenExamples(const bundle::Bundle& bundle, const data::Layout& layout);

}  // namespace slipway::live
