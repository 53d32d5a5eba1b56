// slipway init: looks at a table and proposes a manifest.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/profiling.h"
#include "cli/table_options.h"
#include "profile/proposal.h"

namespace slipway::cli {
namespace {

struct Options {
  std::string data, target, name, output = ".", format;
  int64_t rows = 1'000'000;
  bool force = false;
};

/// A bundle's name out of a file's: "Flights 2013.csv" -> "flights-2013".
std::string BundleName(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) && byte < 128) {
      name += static_cast<char>(std::tolower(byte));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "model" : name;
}

void WarnOfFaults(const ProfiledTable& table, const Console& console) {
  if (table.malformed > 0) {
    console.Warn(fmt::format("{} of {} rows cannot be read, e.g. {}", Grouped(table.malformed), Grouped(table.rows),
                             table.malformed_example));
  }
  for (const auto& column : table.columns) {
    if (column.faults() == 0 || column.nulls() == column.rows()) continue;  // the latter is left out, with the reason
    const bool personal = column.Judge().personal != profile::PersonalKind::kNone;
    console.Warn(fmt::format("{} of {} cells of {:?} cannot be read{}{}", Grouped(column.faults()), Grouped(table.rows),
                             column.name(), personal ? "" : ", e.g. ", personal ? "" : column.fault()));
  }
}

base::Result<ExitCode> Init(const Options& options, Console& console) {
  const auto target_file = std::filesystem::path(options.output) / "slipway.yaml";
  if (std::filesystem::exists(target_file) && !options.force) {
    return base::Fail(base::Code::kAlreadyExists, "init.exists",
                      fmt::format("{} is there already; --force writes over it", target_file.string()));
  }
  SLIPWAY_ASSIGN(const auto format, TableFormat(options.data, options.format, tables::Format::kCsv));
  SLIPWAY_ASSIGN(const auto table, ProfileTable(options.data, format, options.rows, console));
  std::vector<std::string> names;
  for (const auto& column : table.columns) names.push_back(column.name());
  if (!options.target.empty() && std::ranges::find(names, options.target) == names.end()) {
    return base::Fail(base::Code::kInvalidArgument, "init.target",
                      fmt::format("the table has no column {:?}{}; its columns are {}", options.target,
                                  base::DidYouMean(options.target, names),
                                  base::Shorten(fmt::format("{}", fmt::join(names, ", ")), 300)));
  }
  profile::ProposalSource source{.bundle = options.name,
                                 .file = std::filesystem::path(options.data).filename().string(),
                                 .rows = table.rows,
                                 .whole = table.whole,
                                 .target = options.target};
  if (source.bundle.empty()) {
    auto folder = std::filesystem::path(options.output).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    const bool named = folder.has_filename() && folder.filename() != "." && folder.filename() != "..";
    source.bundle = BundleName((named ? folder.filename() : std::filesystem::path(options.data).stem()).string());
  }
  const auto proposal = profile::ProposeManifest(source, table.columns);
  std::error_code ignored;
  std::filesystem::create_directories(options.output, ignored);
  SLIPWAY_TRY(base::WriteFileAtomically(target_file, proposal.yaml));

  if (console.json()) {
    auto excluded = base::Value::List(), personal = base::Value::List();
    for (const auto& column : proposal.excluded) excluded.Add(column);
    for (const auto& column : proposal.personal) personal.Add(column);
    console.Result(base::Value::Map()
                       .Set("file", target_file.string())
                       .Set("rows", table.rows)
                       .Set("whole", table.whole)
                       .Set("inputs", proposal.inputs)
                       .Set("features", proposal.features)
                       .Set("excluded", std::move(excluded))
                       .Set("personal", std::move(personal))
                       .Set("unreadable_rows", table.malformed));
    return ExitCode::kFine;
  }
  console.Print(fmt::format("{} {} from {} rows{}: {} inputs, {} features\n", console.Paint("wrote", Color::kGreen),
                            target_file.string(), Grouped(table.rows),
                            table.whole ? "" : " (the table has more; --rows looks further)", proposal.inputs,
                            proposal.features));
  for (const auto& column : proposal.excluded) console.Print(fmt::format("  left out  {}\n", column));
  for (const auto& column : proposal.personal) console.Print(fmt::format("  personal  {}\n", column));
  WarnOfFaults(table, console);
  if (options.target.empty()) console.Note("no --target was named, so the column to predict is among the inputs");
  if (proposal.inputs == 0) console.Warn("no column is left as an input; look at those that were left out");
  console.Print(fmt::format("next: edit it, then  slipway fit {} --data {}\n", options.output, options.data));
  return ExitCode::kFine;
}

}  // namespace

void AddInit(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("init", "Read a table and propose slipway.yaml");
  static Options options;
  command->add_option("data", options.data, "The training table: CSV, Parquet or JSON lines")->required();
  command->add_option("--target", options.target, "The column to predict; it does not become an input");
  command->add_option("--name", options.name, "Name of the bundle (default: from the folder, else from the file)");
  command->add_option("--output", options.output, "Folder for slipway.yaml")->capture_default_str();
  command->add_option("--format", options.format, "Format of the table (default: by extension)")
      ->check(CLI::IsMember(InputFormats(), CLI::ignore_case));
  command->add_option("--rows", options.rows, "Rows to look at")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 53));
  command->add_flag("--force", options.force, "Write over an existing slipway.yaml");
  command->footer("Example:\n  slipway init train.csv --target late --output flight-delay");
  command->callback([&run] {
    run = [](Console& console) {
      auto done = Init(options, console);
      return done ? *done : console.Fail(done.error());
    };
  });
}

}  // namespace slipway::cli
