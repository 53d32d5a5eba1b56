// slipway predict: scores a file or standard input.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>

#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/scoring_run.h"
#include "cli/table_options.h"

namespace slipway::cli {
namespace {

ExitCode Report(const ScoringOptions& options, const ScoringOutcome& outcome, Console& console) {
  auto summary =
      base::Value::Map().Set("output", options.output).Set("rows", outcome.rows).Set("rejected", outcome.rejected);
  // With the answers on stdout, the summary of --json has no place there.
  if (options.output != "-") {
    console.Result(summary);
    if (!console.json()) {
      console.Print(fmt::format("{} {}: {} rows, {} rejected\n", console.Paint("wrote", Color::kGreen), options.output,
                                Grouped(outcome.rows), Grouped(outcome.rejected)));
    }
  }
  const bool all = outcome.rows > 0 && outcome.rejected == outcome.rows;
  if (outcome.rejected > 0 && (options.output != "-" || all || options.strict)) {
    console.Warn(fmt::format("{} of {} rows were rejected, e.g. {}", Grouped(outcome.rejected), Grouped(outcome.rows),
                             outcome.example));
  }
  return all || (options.strict && outcome.rejected > 0) ? ExitCode::kData : ExitCode::kFine;
}

}  // namespace

void AddPredict(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("predict", "Score a file or standard input");
  static ScoringOptions options;
  command->add_option("bundle", options.bundle, "A folder or a .slipway file")->required();
  command->add_option("--input", options.input, "CSV, JSON lines or Parquet; - is standard input")
      ->capture_default_str();
  command->add_option("--format", options.format,
                      "csv, tsv, ssv, jsonl, json or parquet (default: by extension; jsonl on standard input)");
  command->add_option("--output", options.output, "The answers; - is standard output")->capture_default_str();
  command->add_option("--output-format", options.output_format,
                      "jsonl, csv or parquet (default: by extension; jsonl on standard output)");
  command->add_option("--keep", options.keep, "Columns of the input to carry along")->delimiter(',');
  command->add_option("--threads", options.threads, "Threads that score (default: what the machine allows)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--strict", options.strict, "Exit code 1 when any row is rejected");
  command->add_flag("--ignore-unknown", options.ignore_unknown,
                    "Take tables with columns that the schema does not know");
  command->footer(
      "Examples:\n"
      "  slipway predict flight-delay-1.0.0.slipway --input flights.csv --output scored.parquet --keep flight\n"
      "  echo '{\"carrier\":\"AA\"}' | slipway predict flight-delay-1.0.0.slipway\n\n"
      "One JSON line a row, in the input's order: {\"row\":0,\"prediction\":{…}} or {\"row\":3,\"error\":{…}}. CSV and "
      "Parquet: the kept\n"
      "columns, the outputs, and a column `error`, null when the row was fine. Exit code 1 when every row is "
      "rejected.");
  command->callback([&run] {
    run = [](Console& console) {
      auto outcome = ScoreTable(options, console);
      return outcome ? Report(options, *outcome, console) : console.Fail(outcome.error());
    };
  });
}

}  // namespace slipway::cli
