// slipway fit: learns the feature steps and the drift baseline from a training table.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>

#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/lineage.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/folder_bundle.h"
#include "cli/table_options.h"
#include "fitting/fit_run.h"

namespace slipway::cli {
namespace {

struct Options {
  std::string folder, data, format;
};

/// Faults of the table say which table.
template <typename T>
base::Result<T> InTable(base::Result<T> result, const std::string& path) {
  if (!result && result.error().where.empty()) result.error().where = path;
  return result;
}

base::Result<ExitCode> Fit(const Options& options, Console& console) {
  const auto folder = std::filesystem::path(options.folder);
  SLIPWAY_ASSIGN(const auto bundle, OpenFolder(options.folder));
  const auto& manifest = bundle.manifest();
  SLIPWAY_ASSIGN(auto run, fitting::FitRun::Create(manifest));
  SLIPWAY_ASSIGN(const auto format, TableFormat(options.data, options.format, tables::Format::kCsv));
  SLIPWAY_ASSIGN(const auto source, tables::OpenSource(options.data, run.layout(), format));
  for (bool more = true; more;) {
    const auto label = fmt::format("pass {} of {}", run.pass() + 1, run.passes());
    SLIPWAY_TRY(InTable(
        ForEachBatch(*source, run.layout(), console, label, [&](data::Decoded& batch) { return run.Add(batch); }),
        options.data));
    SLIPWAY_ASSIGN(more, InTable(run.EndPass(), options.data));
    if (more) SLIPWAY_TRY(source->Rewind());
  }
  const auto& counts = run.counts();
  SLIPWAY_ASSIGN(const auto data, bundle::DescribeDataFile(options.data, counts.rows));
  auto fitted = run.Fitted();
  fitted.Set("data", data);
  fitted.Set("accepted_rows", counts.rows - counts.rejected);
  SLIPWAY_TRY(base::WriteFileAtomically(folder / bundle::kFittedFile,
                                        base::ToJson(fitted, {.indent = 2, .trailing_newline = true})));
  SLIPWAY_TRY(base::WriteFileAtomically(folder / bundle::kBaselineFile,
                                        base::ToJson(run.Baseline(), {.indent = 2, .trailing_newline = true})));

  const auto learned = fitted.Find("features")->map().size();
  if (console.json()) {
    auto examples = base::Value::List();
    for (const auto& example : counts.examples) examples.Add(example);
    console.Result(base::Value::Map()
                       .Set("rows", counts.rows)
                       .Set("rejected", counts.rejected)
                       .Set("without_target", counts.without_target)
                       .Set("passes", run.passes())
                       .Set("features_learned", static_cast<int64_t>(learned))
                       .Set("columns_learned", static_cast<int64_t>(fitted.Find("columns")->map().size()))
                       .Set("violations", std::move(examples)));
    return ExitCode::kFine;
  }
  console.Print(fmt::format("{} {} feature steps and {} column fills from {} rows in {} passes\n",
                            console.Paint("fitted", Color::kGreen), learned, fitted.Find("columns")->map().size(),
                            Grouped(counts.rows - counts.rejected), run.passes()));
  if (counts.rejected > 0) {
    console.Warn(fmt::format("{} of {} rows break the schema and taught nothing:", Grouped(counts.rejected),
                             Grouped(counts.rows)));
    for (const auto& example : counts.examples) console.Note("  " + example);
  }
  if (counts.without_target > 0) console.Warn(fmt::format("{} rows have no target", Grouped(counts.without_target)));
  return ExitCode::kFine;
}

}  // namespace

void AddFit(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("fit", "Learn the feature steps and the drift baseline from a table");
  static Options options;
  command->add_option("folder", options.folder, "The folder that holds slipway.yaml")->required();
  command->add_option("--data", options.data, "The training table: CSV, Parquet or JSON lines")->required();
  command->add_option("--format", options.format, "Format of the table (default: by extension)")
      ->check(CLI::IsMember(InputFormats(), CLI::ignore_case));
  command->footer(
      "Example:\n  slipway fit flight-delay --data train.csv\n\nWrites fitted.json and baseline.json beside "
      "slipway.yaml; the same table gives the same bytes. The baseline\nsays how columns, features and target are "
      "distributed, for drift to be measured against.");
  command->callback([&run] {
    run = [](Console& console) {
      auto done = Fit(options, console);
      return done ? *done : console.Fail(done.error());
    };
  });
}

}  // namespace slipway::cli
