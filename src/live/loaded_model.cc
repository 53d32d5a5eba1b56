#include "live/loaded_model.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

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

namespace {

int NextIndex() {
  static std::atomic<int> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

void SetIdentity(const bundle::Manifest& manifest, std::string source, LoadedModel& model) {
  model.index = NextIndex();
  model.name = manifest.name;
  model.version = manifest.version;
  model.version_text = manifest.version.ToString();
  model.source = std::move(source);
}

}  // namespace

base::Result<KnownBundle> KnowBundle(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(const auto bundle, bundle::Bundle::Open(path));
  SLIPWAY_ASSIGN(const auto digests, bundle.Digests());
  const auto model = std::make_shared<LoadedModel>();
  SetIdentity(bundle.manifest(), path.string(), *model);
  model->digest = bundle::IdentityOf(digests);
  model->contract = std::make_shared<const scoring::Contract>(scoring::Contract::OfManifest(bundle.manifest()));
  KnownBundle known{.model = model};
  for (const auto& [name, file] : digests) known.bytes += file.size;
  return known;
}

std::shared_ptr<const LoadedModel> ColdCopy(const LoadedModel& model) {
  auto cold = std::make_shared<LoadedModel>(model);
  cold->index = NextIndex();
  cold->scorer = nullptr;
  return cold;
}

std::shared_ptr<const LoadedModel> FailedModel(const bundle::Bundle& bundle, std::string source, base::Error error,
                                               std::shared_ptr<const scoring::Contract> known) {
  const auto model = std::make_shared<LoadedModel>();
  SetIdentity(bundle.manifest(), std::move(source), *model);
  model->failure = std::move(error);
  if (auto constants = scoring::Scorer::CreateForConstants(bundle, known)) model->scorer = *std::move(constants);
  if (known == nullptr)
    known = std::make_shared<const scoring::Contract>(scoring::Contract::OfManifest(bundle.manifest()));
  model->contract = model->scorer != nullptr ? model->scorer->contract() : std::move(known);
  return model;
}

base::Result<std::shared_ptr<const LoadedModel>> LoadBundle(const std::filesystem::path& path,
                                                            const engine::EngineTable& engines,
                                                            const LoadOptions& options) {
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
  model->contract = model->scorer->contract();
  SetIdentity(bundle.manifest(), path.string(), *model);
  model->loaded_at = options.clock->WallNow();
  model->load_time = options.clock->Now() - begun;
  return model;
}

}  // namespace slipway::live
