#include "live/loaded_model.h"

#include <fmt/format.h>

#include <atomic>

#include "base/text.h"
#include "bundle/golden.h"
#include "live/golden_examples.h"

namespace slipway::live {

base::Result<scoring::GoldenReport> CheckGolden(const bundle::Bundle& bundle, const scoring::Scorer& scorer,
                                                size_t most) {
  if (!bundle.Has(bundle::kGoldenFile)) return scoring::GoldenReport{};
  SLIPWAY_ASSIGN(const auto text, bundle.Read(bundle::kGoldenFile));
  SLIPWAY_ASSIGN(const auto golden, bundle::ParseGolden(text));
  SLIPWAY_ASSIGN(auto report, scoring::CheckGolden(scorer, golden, most));
  if (report.mismatch_count > 0) {
    const auto& first = report.mismatches.front();
    return base::Fail(
        base::Code::kDataLoss, "bundle.golden_mismatch",
        fmt::format("{} of {} golden records are answered otherwise than when the bundle was packed, compared {}; "
                    "record {} gives {} instead of {}; pack it again with this version of slipway, or see what "
                    "differs with slipway verify{}",
                    report.mismatch_count, report.checked, report.HowCompared(), first.index,
                    base::Shorten(first.got, 200), base::Shorten(first.expected, 200),
                    report.tolerance > 0 ? ", or allow more by golden.tolerance in slipway.yaml" : ""),
        std::string(bundle::kGoldenFile));
  }
  return report;
}

base::Result<std::shared_ptr<const LoadedModel>> LoadBundle(const std::filesystem::path& path,
                                                            const engine::EngineTable& engines,
                                                            const LoadOptions& options) {
  static std::atomic<int> next_index{0};
  const auto begun = options.clock->Now();
  SLIPWAY_ASSIGN(const auto bundle, bundle::Bundle::Open(path));
  auto model = std::make_shared<LoadedModel>();
  SLIPWAY_ASSIGN(model->digest, bundle.Digest());
  SLIPWAY_ASSIGN(model->scorer, scoring::Scorer::Create(bundle, engines, {.engine = options.engine, .warm_up = true}));
  if (options.check_golden) {
    SLIPWAY_ASSIGN(model->golden, CheckGolden(bundle, *model->scorer, options.golden_records));
    model->one_row = model->golden.fastest;
  }
  model->examples = GoldenExamples(bundle, model->scorer->layout());
  const auto& manifest = model->scorer->manifest();
  model->name = manifest.name;
  model->version = manifest.version;
  model->version_text = manifest.version.ToString();
  model->source = path.string();
  model->loaded_at = options.clock->WallNow();
  model->load_time = options.clock->Now() - begun;
  model->index = next_index.fetch_add(1, std::memory_order_relaxed);
  return model;
}

}  // namespace slipway::live
