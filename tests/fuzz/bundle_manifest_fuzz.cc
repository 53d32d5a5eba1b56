// A slipway.yaml of any bytes is read, or refused with reason, message and place; reading twice gives the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bundle/golden.h"
#include "bundle/lookup_table.h"
#include "bundle/manifest.h"

namespace {

template <typename T>
void RequireExplained(const slipway::base::Result<T>& result) {
  if (!result && (result.error().message.empty() || result.error().reason.empty())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace slipway;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto tree = bundle::ParseYaml(text);
  RequireExplained(tree);
  const auto manifest = bundle::ParseManifest(text);
  RequireExplained(manifest);
  if (!manifest && !manifest.error().where.starts_with("slipway.yaml")) std::abort();
  if (manifest && (!tree || !(manifest->written == *tree))) std::abort();
  RequireExplained(bundle::ParseLookupTable(text, "table.csv", 1000));
  const auto golden = bundle::ParseGolden(text);
  RequireExplained(golden);
  if (golden && bundle::ParseGolden(bundle::FormatGolden(*golden)).value() != *golden) std::abort();
  RequireExplained(bundle::Version::Parse(text));
  return 0;
}
