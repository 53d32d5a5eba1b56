#include "engine/engine.h"

#include <utility>

#include "base/text.h"

namespace slipway::engine {

void EngineTable::Register(std::string name, EngineLoader loader) {
  loaders_.emplace_back(std::move(name), std::move(loader));
}

base::Result<std::unique_ptr<Engine>> EngineTable::Load(const bundle::Bundle& bundle,
                                                        const EngineOptions& options) const {
  const bundle::ModelSpec& model = bundle.manifest().model;
  std::vector<std::string> names;
  for (const auto& [name, loader] : loaders_) {
    if (name == model.engine) return loader(bundle, options);
    names.push_back(name);
  }
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  return base::Fail(base::Code::kInvalidArgument, "engine.unknown",
                    "no engine of this name; known: " + (known.empty() ? "none" : known) + "; model.engine is \"" +
                        base::Shorten(model.engine) + "\"" + base::DidYouMean(model.engine, names),
                    "model.engine");
}

}  // namespace slipway::engine
