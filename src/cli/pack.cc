// slipway pack: makes the bundle, after proving that manifest, model and data fit each other.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>

#include "bundle/bundle.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/packing.h"
#include "cli/table_options.h"

namespace slipway::cli {
namespace {

void WarnOfRejected(const Packed& packed, const Console& console) {
  console.Warn(
      fmt::format("{} of {} golden records break the schema ({}); they prove that they are refused, and "
                  "nothing about predictions",
                  packed.golden_rejected, packed.golden, packed.golden_reasons));
  if (!packed.personal.empty()) {
    console.Note(
        fmt::format("golden records come without personal columns ({}), and these are required; give them "
                    "`optional: true`, so that a record without them can be predicted",
                    fmt::join(packed.personal, ", ")));
  }
}

}  // namespace

void AddPack(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("pack", "Make a bundle: one immutable .slipway file");
  static PackOptions options;
  command->add_option("folder", options.folder, "The folder that holds slipway.yaml")->required();
  command->add_option("--model", options.model,
                      "The model file (default: the one that slipway.yaml names, in the folder)");
  command->add_option("--golden", options.golden,
                      "A table whose first rows become golden records: CSV, Parquet or JSON lines");
  command->add_option("--golden-rows", options.golden_rows, "How many of them")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  command->add_option("--format", options.golden_format, "Format of the table (default: by extension)")
      ->check(CLI::IsMember(InputFormats(), CLI::ignore_case));
  command->add_option("--output", options.output, "The bundle (default: NAME-VERSION.slipway)");
  command->footer(
      "Example:\n  slipway pack flight-delay --model model.onnx --golden test.csv\n\n"
      "The same folder, model and data give the same bytes. Pickle and joblib files are refused: they run code when "
      "they are read.");
  command->callback([&run] {
    run = [](Console& console) {
      auto packed = Pack(options, console);
      if (!packed) return console.Fail(packed.error());
      console.Result(packed->ToValue());
      if (console.json()) return ExitCode::kFine;
      std::error_code ignored;
      console.Print(fmt::format("{} {} ({} bytes)\n  {}\n  {} golden records\n", console.Paint("packed", Color::kGreen),
                                packed->output, std::filesystem::file_size(packed->output, ignored), packed->digest,
                                packed->golden));
      if (packed->golden == 0) {
        console.Warn("no golden records: give --golden DATA, so that every machine can prove that it answers the same");
      } else if (packed->golden_rejected > 0) {
        WarnOfRejected(*packed, console);
      }
      return ExitCode::kFine;
    };
  });
}

}  // namespace slipway::cli
