// slipway transform: gives the trainer its matrix by the code that serves.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "bundle/bundle.h"
#include "bundle/lineage.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/folder_bundle.h"
#include "cli/profiling.h"
#include "cli/table_options.h"
#include "fitting/fit_run.h"
#include "scoring/preprocessor.h"

namespace slipway::cli {
namespace {

struct Options {
  std::string folder, data, output, format, output_format, precision = "float32", path = "auto";
  std::vector<std::string> keep;
  bool strict = false;
};

/// Rows whose types nobody declared are looked at first, so that a kept label arrives as a number, not as text.
constexpr int64_t kKeptRowsLookedAt = 10'000;

struct Kept {
  data::Layout layout;
  std::vector<int> columns;  ///< indices in the layout, in the order asked for
};

base::Result<Kept> ResolveKept(const Options& options, const bundle::Manifest& manifest,
                               const tables::TableOptions& format, const Console& console) {
  const auto plain = fitting::TrainingLayout(manifest, options.keep);
  auto fields = plain.fields();
  const bool undeclared = fields.size() > manifest.schema.columns.size();
  if (undeclared && options.data != "-") {
    SLIPWAY_ASSIGN(const auto table, ProfileRows(options.data, format, kKeptRowsLookedAt, console));
    std::vector<std::string> names;
    for (const auto& column : table.columns) names.push_back(column.name());
    for (auto& field : fields) {
      if (!field.as_text) continue;
      const auto column = std::ranges::find(table.columns, field.name, &profile::ColumnProfile::name);
      const bool wanted = std::ranges::find(options.keep, field.name) != options.keep.end();
      if (column == table.columns.end() && wanted) {
        return base::Fail(base::Code::kInvalidArgument, "transform.keep",
                          fmt::format("--keep names {:?}, which is no column of {}{}", field.name, options.data,
                                      base::DidYouMean(field.name, names)));
      }
      if (column == table.columns.end() || column->others() > 0) continue;
      const auto verdict = column->Judge();
      if (table.rows > 0) field.type.scalar = verdict.type;
      field.null_texts = verdict.null_texts;
      field.as_text = verdict.type == data::ScalarType::kString;
    }
  }
  Kept kept{data::Layout(std::move(fields), data::UnknownFields::kIgnore), {}};
  for (const auto& name : options.keep) kept.columns.push_back(kept.layout.Find(name));
  return kept;
}

/// Features the matrix is made of: those the model takes, else all that are not hidden.
base::Result<std::vector<int>> MatrixFeatures(const bundle::Manifest& manifest, const features::Pipeline& pipeline) {
  std::vector<int> chosen;
  for (const auto& binding : manifest.model.inputs) {
    for (const auto& name : binding.features) {
      if (const int feature = pipeline.Find(name); feature >= 0) chosen.push_back(feature);
    }
  }
  if (chosen.empty()) {
    for (size_t i = 0; i < pipeline.features().size(); ++i) {
      if (!pipeline.features()[i].hidden) chosen.push_back(static_cast<int>(i));
    }
  }
  if (chosen.empty()) {
    return base::Fail(base::Code::kFailedPrecondition, "transform.no_features",
                      "the manifest declares no features, so there is no matrix to make; add `features:`",
                      "slipway.yaml");
  }
  return chosen;
}

std::vector<data::Field> MatrixFields(const features::Pipeline& pipeline, const std::vector<int>& chosen, bool single) {
  std::vector<data::Field> fields;
  for (const int index : chosen) {
    const auto& feature = pipeline.features()[static_cast<size_t>(index)];
    for (const auto& name : feature.columns) {
      data::Field field;
      field.name = name;
      field.type.scalar =
          feature.type == data::ScalarType::kString ? data::ScalarType::kString : data::ScalarType::kNumber;
      field.single_precision = single && feature.type != data::ScalarType::kString;
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

/// Appends the block's features to the output's columns, rounded as the model will get them.
void AppendFeatures(const features::Pipeline& pipeline, const std::vector<int>& chosen,
                    const features::PipelineWorkspace& workspace, int64_t rows, bool single, data::Table& out) {
  size_t column = 0;
  for (const int index : chosen) {
    const auto& feature = pipeline.features()[static_cast<size_t>(index)];
    const auto view = pipeline.Result(index, workspace);
    for (int64_t element = 0; element < feature.width; ++element) {
      auto& to = out.columns[column++];
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t at = row * feature.width + element;
        if (!view.IsValid(row)) {
          to.AppendNull();
          continue;
        }
        switch (view.type) {
          case data::ScalarType::kString:
            to.AppendString(view.string(at));
            break;
          case data::ScalarType::kNumber: {
            const double value = view.numbers()[at];
            to.AppendNumber(single ? static_cast<double>(static_cast<float>(value)) : value);
            break;
          }
          case data::ScalarType::kBoolean:
            to.AppendNumber(view.booleans()[at]);
            break;
          default:
            to.AppendNumber(static_cast<double>(view.integers()[at]));
            break;
        }
      }
    }
  }
}

struct Outcome {
  int64_t rows = 0, rejected = 0;
  std::vector<std::string> examples;
  int64_t columns = 0;
  bool training = false;
};

/// True when DATA is the very table that was fitted on and a step answers out of fold there.
base::Result<bool> OnTrainingPath(const Options& options, const base::Value& fitted,
                                  const features::Pipeline& pipeline) {
  if (options.path != "auto") return options.path == "training";
  const auto* data = fitted.Find("data");
  const auto* digest = data ? data->Find("sha256") : nullptr;
  if (!pipeline.has_training_path() || !digest || options.data == "-") return false;
  SLIPWAY_ASSIGN(const auto described, bundle::DescribeDataFile(options.data, std::nullopt));
  return *described.Find("sha256") == *digest;
}

base::Result<Outcome> Transform(const Options& options, const Console& console) {
  SLIPWAY_ASSIGN(const auto bundle, OpenFolder(options.folder));
  const auto& manifest = bundle.manifest();
  SLIPWAY_ASSIGN(const auto preprocessor, scoring::Preprocessor::Create(manifest, bundle.fitted(), manifest.schema));
  const auto& pipeline = preprocessor.pipeline();
  SLIPWAY_ASSIGN(const auto chosen, MatrixFeatures(manifest, pipeline));
  SLIPWAY_ASSIGN(const auto format, TableFormat(options.data, options.format, tables::Format::kCsv));
  SLIPWAY_ASSIGN(const auto output_format, TableFormat(options.output, options.output_format, tables::Format::kCsv));
  SLIPWAY_ASSIGN(const auto kept, ResolveKept(options, manifest, format, console));
  const bool single = options.precision == "float32";
  auto fields = MatrixFields(pipeline, chosen, single);
  for (const int column : kept.columns) fields.push_back(kept.layout.fields()[static_cast<size_t>(column)]);

  Outcome outcome{.columns = static_cast<int64_t>(fields.size())};
  SLIPWAY_ASSIGN(outcome.training, OnTrainingPath(options, bundle.fitted(), pipeline));
  SLIPWAY_ASSIGN(const auto source, tables::OpenSource(options.data, kept.layout, format));
  SLIPWAY_ASSIGN(const auto sink, tables::OpenSink(options.output, fields, output_format));
  scoring::Preprocessor::Workspace workspace;
  schema::Report report;
  data::Table out = data::Table::Make(fields);
  int64_t accepted = 0;
  auto visit = [&](data::Decoded& batch) -> base::Result<void> {
    const int64_t before = outcome.rows;
    report.Clear();
    const auto& table = preprocessor.Check(batch, report, workspace);
    outcome.rows += batch.table.rows;
    outcome.rejected += report.rejected_rows;
    for (const auto& violation : report.violations) {
      if (outcome.examples.size() >= 5) break;
      outcome.examples.push_back(fmt::format("row {}: {}", before + violation.row, violation.message));
    }
    out.Clear();
    constexpr int64_t kBlock = scoring::Preprocessor::kBlockRows;
    for (int64_t first = 0; first < table.rows; first += kBlock) {
      const int64_t rows = std::min(kBlock, table.rows - first);
      preprocessor.Features(table, first, rows, workspace,
                            outcome.training ? std::optional(accepted + first) : std::nullopt);
      AppendFeatures(pipeline, chosen, workspace.features, rows, single, out);
    }
    for (size_t i = 0; i < kept.columns.size(); ++i) {
      auto& to = out.columns[fields.size() - kept.columns.size() + i];
      const auto& from = table.columns[static_cast<size_t>(kept.columns[i])];
      for (int64_t row = 0; row < table.rows; ++row) to.AppendFrom(from, row);
    }
    out.rows = table.rows;
    accepted += table.rows;
    return sink->Write(out);
  };
  SLIPWAY_TRY(ForEachBatch(*source, kept.layout, console, "transforming", visit));
  // A table without rows makes a matrix without rows; one whose rows are all wrong makes none.
  if (outcome.rejected > 0 && (outcome.rejected == outcome.rows || options.strict)) {
    return base::Fail(base::Code::kInvalidArgument, "transform.rejected",
                      fmt::format("{} of {} rows break the schema, e.g. {}", outcome.rejected, outcome.rows,
                                  outcome.examples.empty() ? "" : outcome.examples.front()),
                      options.data);
  }
  SLIPWAY_TRY(sink->Finish());
  return outcome;
}

ExitCode Report(const Options& options, const Outcome& outcome, Console& console) {
  auto examples = base::Value::List();
  for (const auto& example : outcome.examples) examples.Add(example);
  console.Result(base::Value::Map()
                     .Set("output", options.output)
                     .Set("rows", outcome.rows - outcome.rejected)
                     .Set("rejected", outcome.rejected)
                     .Set("columns", outcome.columns)
                     .Set("training_path", outcome.training)
                     .Set("violations", std::move(examples)));
  if (!console.json() && options.output != "-") {
    console.Print(
        fmt::format("{} {}: {} rows x {} columns{}\n", console.Paint("wrote", Color::kGreen), options.output,
                    Grouped(outcome.rows - outcome.rejected), outcome.columns,
                    outcome.training ? ", target encodings out of fold (this is the table that was fitted)" : ""));
  }
  if (outcome.rejected > 0) {
    console.Warn(fmt::format("{} of {} rows break the schema and are left out:", Grouped(outcome.rejected),
                             Grouped(outcome.rows)));
    for (const auto& example : outcome.examples) console.Note("  " + example);
  }
  return ExitCode::kFine;
}

}  // namespace

void AddTransform(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("transform", "Compute the feature matrix of a table, for the trainer");
  static Options options;
  command->add_option("folder", options.folder, "The folder that holds slipway.yaml and fitted.json")->required();
  command->add_option("--data", options.data, "The table: CSV, Parquet or JSON lines")->required();
  command->add_option("--output", options.output, "The matrix: .parquet, .csv, .npy or .jsonl")->required();
  command->add_option("--keep", options.keep, "Columns of the table to carry along, e.g. the label")->delimiter(',');
  command->add_option("--format", options.format, "Format of the table (default: by extension)")
      ->check(CLI::IsMember(InputFormats(), CLI::ignore_case));
  command->add_option("--output-format", options.output_format, "Format of the matrix (default: by extension)")
      ->check(CLI::IsMember(OutputFormats(), CLI::ignore_case));
  command->add_option("--precision", options.precision, "float32 or float64")
      ->capture_default_str()
      ->check(CLI::IsMember({"float32", "float64"}));
  command
      ->add_option(
          "--path", options.path,
          "training: target encodings out of fold; serving: as requests get them; auto: training for the fitted table")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "training", "serving"}));
  command->add_flag("--strict", options.strict, "Fail when any row breaks the schema");
  command->footer("Example:\n  slipway transform flight-delay --data train.csv --output features.parquet --keep late");
  command->callback([&run] {
    run = [](Console& console) {
      auto outcome = Transform(options, console);
      return outcome ? Report(options, *outcome, console) : console.Fail(outcome.error());
    };
  });
}

}  // namespace slipway::cli
