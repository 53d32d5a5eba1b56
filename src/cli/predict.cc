// slipway predict: scores a file or standard input.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <string>

#include "base/text.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/scoring_run.h"
#include "cli/table_options.h"

namespace slipway::cli {
namespace {

/// The way out when a table has other columns than the model.
std::string Hint(const ScoringOutcome& outcome) {
  if (outcome.unknown.empty()) return {};
  if (!outcome.tensor.empty()) {
    return fmt::format(
        "the model takes one tensor, {}; for a table with a column for each of its elements, name these columns under "
        "`inputs:` in slipway.yaml, in the order of training",
        outcome.tensor);
  }
  return fmt::format("columns that are no inputs ({}): --keep carries them along, --ignore-unknown leaves them out",
                     base::Shorten(fmt::format("{}", fmt::join(outcome.unknown, ", ")), 200));
}

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
    if (const auto hint = Hint(outcome); !hint.empty()) console.Note(hint);
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
  command
      ->add_option("--format", options.format, "Format of the input (default: by extension; jsonl on standard input)")
      ->check(CLI::IsMember(InputFormats(), CLI::ignore_case));
  command->add_option("--output", options.output, "The answers; - is standard output")->capture_default_str();
  command
      ->add_option("--output-format", options.output_format,
                   "Format of the answers (default: by extension; jsonl on standard output)")
      ->check(CLI::IsMember(OutputFormats(), CLI::ignore_case));
  command->add_option("--keep", options.keep, "Columns of the input to carry along")->delimiter(',');
  command->add_option("--threads", options.threads, "Threads that score (default: what the machine allows)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--strict", options.strict, "Exit code 1 when any row is rejected");
  command->add_flag("--ignore-unknown", options.ignore_unknown, "Leave out columns that the schema does not know");
  command->footer(
      "Examples:\n"
      "  slipway predict flight-delay-1.0.0.slipway --input flights.csv --output scored.parquet --keep flight\n"
      "  echo '{\"carrier\":\"AA\"}' | slipway predict flight-delay-1.0.0.slipway\n\n"
      "One JSON line a row, in the input's order: {\"row\":0,\"prediction\":{…}} or {\"row\":3,\"error\":{…}}. Rows "
      "count from 0;\n"
      "the header of a CSV table is none, nor are blank lines, but in a table of one column. CSV and Parquet: the "
      "kept\n"
      "columns, the outputs, and a column `error`, null when the row was fine. The input may still have the column to "
      "predict\n(`target`). Exit code 1 when every row is rejected.");
  command->callback([&run] {
    run = [](Console& console) {
      auto outcome = ScoreTable(options, console);
      return outcome ? Report(options, *outcome, console) : console.Fail(outcome.error());
    };
  });
}

}  // namespace slipway::cli
