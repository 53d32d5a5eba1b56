#pragma once
// What a child says first: what the model says of itself, or why it could not be loaded. One line of JSON.

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/engine.h"

namespace slipway::engine::isolated {

std::string WriteHello(const base::Result<ModelInfo>& loaded);

/// Whose `loaded` is what the child tells. Errors: data_loss "engine.protocol": no such line.
struct Hello {
  base::Result<ModelInfo> loaded;
};
base::Result<Hello> ReadHello(std::string_view line);

/// Whether a model that was loaded again is what it was, as far as callers rely on it.
bool IsSameModel(const ModelInfo& before, const ModelInfo& now);

}  // namespace slipway::engine::isolated
