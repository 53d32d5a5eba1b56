// slipway verify: recomputes digests and golden predictions.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>

#include "base/text.h"
#include "bundle/golden.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/engines.h"
#include "scoring/golden_check.h"

namespace slipway::cli {
namespace {

ExitCode Verify(const std::string& path, Console& console) {
  auto loaded = LoadBundle(path);
  if (!loaded) return console.Fail(loaded.error());
  const auto& [bundle, scorer] = *loaded;
  auto digest = bundle.Digest();
  if (!digest) return console.Fail(digest.error());
  const auto& manifest = bundle.manifest();
  auto result = base::Value::Map();
  result.Set("name", manifest.name).Set("version", manifest.version.ToString()).Set("digest", *digest);
  result.Set("digests_checked", bundle.is_archive());
  if (!bundle.Has(bundle::kGoldenFile)) {
    result.Set("golden", base::Value::Map().Set("checked", 0)).Set("ok", true);
    console.Result(result);
    console.Warn("the bundle has no golden records; pack it with --golden DATA to make its answers provable");
    if (!console.json()) console.Print(fmt::format("{}@{} {}\n", manifest.name, manifest.version.ToString(), *digest));
    return ExitCode::kFine;
  }
  auto text = bundle.Read(bundle::kGoldenFile);
  if (!text) return console.Fail(text.error());
  auto golden = bundle::ParseGolden(*text);
  if (!golden) return console.Fail(golden.error());
  auto report = scoring::CheckGolden(*scorer, *golden);
  if (!report) return console.Fail(report.error());
  const bool fine = report->mismatch_count == 0;
  auto mismatches = base::Value::List();
  for (const auto& mismatch : report->mismatches) {
    mismatches.Add(
        base::Value::Map().Set("record", mismatch.index).Set("expected", mismatch.expected).Set("got", mismatch.got));
  }
  result.Set("golden", report->ToValue().Set("mismatches", std::move(mismatches)));
  result.Set("ok", fine);
  console.Result(result);
  if (console.json()) return fine ? ExitCode::kFine : ExitCode::kData;
  console.Print(fmt::format("{}@{} {}\n", manifest.name, manifest.version.ToString(), *digest));
  if (bundle.is_archive())
    console.Print(
        fmt::format("{} digests of all {} files\n", console.Paint("ok", Color::kGreen), bundle.Files().size()));
  if (fine) {
    console.Print(fmt::format("{} {} golden records, alone and as a batch, {}\n", console.Paint("ok", Color::kGreen),
                              report->checked, report->HowCompared()));
    return ExitCode::kFine;
  }
  console.Print(fmt::format("{} {} of {} golden records are answered differently; compared {}\n",
                            console.Paint("FAILED", Color::kRed), report->mismatch_count, report->checked,
                            report->HowCompared()));
  for (const auto& mismatch : report->mismatches) {
    auto shown = [](const std::string& text) { return base::Shorten(text, 160); };
    console.Print(fmt::format("  record {}\n    expected {}\n    got      {}\n", mismatch.index,
                              shown(mismatch.expected), shown(mismatch.got)));
  }
  return ExitCode::kData;
}

}  // namespace

void AddVerify(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("verify", "Recompute a bundle's digests and golden predictions");
  static std::string path;
  command->add_option("bundle", path, "A folder or a .slipway file")->required();
  command->footer(
      "Example:\n  slipway verify flight-delay-1.0.0.slipway\n\nExit code 1 when a digest or a prediction differs. On "
      "a "
      "CPU of another kind than the bundle was packed on,\nnumbers may differ by golden.tolerance of slipway.yaml, "
      "1e-5 "
      "of their value by default.");
  command->callback([&run] { run = [](Console& console) { return Verify(path, console); }; });
}

}  // namespace slipway::cli
