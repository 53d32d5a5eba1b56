// slipway inspect: a bundle's contract on one screen.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "base/quantities.h"
#include "base/text.h"
#include "bundle/golden.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/engines.h"

namespace slipway::cli {
namespace {

/// "min 10, max 6000, one of AA, AS, …": a column's rules in the manifest's words.
std::string RulesOf(const base::Value& column) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : column.map()) {
    if (key == "type" || key == "description" || key == "unit") continue;
    if (key == "values") {
      std::vector<std::string> shown;
      for (const auto& entry : value.list()) {
        shown.push_back(entry.is_string() ? entry.string() : base::ToJson(entry));
        if (shown.size() == 8) break;
      }
      const size_t all = value.list().size();
      parts.push_back(fmt::format("one of {}{}", fmt::join(shown, ", "), all > 8 ? fmt::format(", … ({})", all) : ""));
    } else if (value.is_boolean() && value.boolean()) {
      parts.push_back(key);
    } else {
      parts.push_back(fmt::format("{} {}", key, value.is_string() ? value.string() : base::ToJson(value)));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void PrintTable(const Console& console, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> width;
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], width[i]) : row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    console.Print(line + "\n");
  }
}

/// Indented lines of at most about a hundred characters.
std::string Wrapped(const std::string& text) {
  std::string wrapped = "  ";
  size_t line = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (line > 0 && line + 1 + (end - at) > 98) wrapped += "\n  ", line = 0;
    if (line > 0) wrapped += ' ', ++line;
    wrapped += text.substr(at, end - at);
    line += end - at;
    at = end + 1;
  }
  return wrapped + "\n";
}

std::string Source(const bundle::OutputSpec& spec) {
  if (!spec.from.empty()) return "from " + spec.from;
  if (!spec.when.empty()) return "when " + spec.when;
  return "= " + spec.expr;
}

base::Value Tensors(const std::vector<engine::TensorSpec>& specs) {
  auto list = base::Value::List();
  for (const auto& spec : specs) {
    auto shape = base::Value::List();
    for (const int64_t d : spec.shape) shape.Add(d);
    auto entry = base::Value::Map();
    entry.Set("name", spec.name).Set("type", engine::ElementTypeName(spec.type)).Set("shape", std::move(shape));
    if (spec.kind == engine::TensorSpec::Kind::kMaps) entry.Set("kind", "maps");
    list.Add(std::move(entry));
  }
  return list;
}

base::Value ToValue(const LoadedBundle& loaded, const std::string& digest) {
  const auto& [bundle, scorer] = loaded;
  const auto& manifest = bundle.manifest();
  auto value = base::Value::Map();
  value.Set("name", manifest.name).Set("version", manifest.version.ToString()).Set("digest", digest);
  if (!manifest.description.empty()) value.Set("description", manifest.description);
  const auto schema = schema::ToValue(scorer->schema());
  if (const auto* inputs = schema.Find("inputs")) value.Set("inputs", *inputs);
  if (const auto* rules = schema.Find("rules")) value.Set("rules", *rules);
  auto outputs = base::Value::Map();
  for (const auto& field : scorer->output_fields()) outputs.Set(field.name, field.type.ToString());
  value.Set("outputs", std::move(outputs));
  value.Set("features", static_cast<int64_t>(manifest.features.size()));
  value.Set("model", base::Value::Map()
                         .Set("engine", scorer->model().engine)
                         .Set("file", manifest.model.file)
                         .Set("inputs", Tensors(scorer->model().inputs))
                         .Set("outputs", Tensors(scorer->model().outputs))
                         .Set("rows_per_run", scorer->chunk_rows())
                         .Set("exactness", scorer->model().exactness)
                         .Set("details", scorer->model().details));
  auto files = base::Value::List();
  for (const auto& file : bundle.Files()) files.Add(file);
  value.Set("files", std::move(files));
  if (auto lineage = bundle.Read(bundle::kLineageFile)) {
    if (auto parsed = base::ParseJson(*lineage)) value.Set("lineage", *parsed);
  }
  return value;
}

void PrintLineage(const bundle::Bundle& bundle, const Console& console) {
  auto text = bundle.Read(bundle::kLineageFile);
  if (!text) return;
  auto lineage = base::ParseJson(*text);
  if (!lineage) return;
  console.Print(console.Paint("lineage", Color::kBold) + "\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : lineage->map()) rows.push_back({key, base::Shorten(base::ToJson(value), 110)});
  PrintTable(console, rows);
}

void PrintScreen(const LoadedBundle& loaded, const std::string& digest, const std::string& path,
                 const Console& console) {
  const auto& [bundle, scorer] = loaded;
  const auto& manifest = bundle.manifest();
  auto bold = [&](std::string_view text) { return console.Paint(text, Color::kBold); };
  console.Print(fmt::format("{} {}\n", bold(manifest.name + " " + manifest.version.ToString()),
                            console.Paint(digest, Color::kDim)));
  if (!manifest.description.empty()) console.Print(manifest.description + "\n");
  console.Print("\n" + bold("accepts") + "\n");
  const auto schema = schema::ToValue(scorer->schema());
  std::vector<std::vector<std::string>> rows;
  if (const auto* inputs = schema.Find("inputs")) {
    for (const auto& [name, column] : inputs->map()) {
      const auto* unit = column.Find("unit");
      const auto* type = column.Find("type");
      rows.push_back({name, type ? type->string() : "", unit ? unit->string() : "", RulesOf(column)});
    }
  }
  PrintTable(console, rows);
  for (const auto& rule : scorer->schema().rules)
    console.Print(fmt::format("  rule {}: {}\n", rule.check, rule.message));
  if (!manifest.features.empty()) {
    console.Print(fmt::format("\n{}\n  {} steps", bold("features"), manifest.features.size()));
    for (const auto& input : scorer->model().inputs) {
      console.Print(
          fmt::format(", {} {}[{}]", input.name, engine::ElementTypeName(input.type), fmt::join(input.shape, ", ")));
    }
    console.Print("\n");
  }
  console.Print("\n" + bold("answers") + "\n");
  rows.clear();
  for (const auto& field : scorer->output_fields()) {
    std::string source;
    for (const auto& spec : manifest.outputs) {
      if (spec.name == field.name) source = Source(spec);
    }
    std::string labels =
        field.labels.empty()
            ? ""
            : fmt::format("{{{}}}", fmt::join(field.labels.begin(),
                                              field.labels.begin() +
                                                  static_cast<std::ptrdiff_t>(std::min<size_t>(field.labels.size(), 8)),
                                              ", "));
    rows.push_back({field.name, field.type.ToString(), labels.empty() ? source : fmt::format("{} {}", labels, source)});
  }
  PrintTable(console, rows);
  console.Print(fmt::format("\n{}\n  {} {}\n{}", bold("model"), scorer->model().engine, manifest.model.file,
                            Wrapped(fmt::format("{} row{} a run: {}", scorer->chunk_rows(),
                                                scorer->chunk_rows() == 1 ? "" : "s", scorer->model().exactness))));
  if (manifest.limits.timeout)
    console.Print(fmt::format("  timeout {}\n", base::FormatDuration(*manifest.limits.timeout)));
  PrintLineage(bundle, console);
  if (auto golden = bundle.Read(bundle::kGoldenFile)) {
    auto set = bundle::ParseGolden(*golden);
    if (set && !set->records.empty()) {
      const auto made_on = set->cpu.empty() ? "" : fmt::format(", made on {}", base::Shorten(set->cpu));
      console.Print(fmt::format("\n{}  ({} golden records{})\n  echo '{}' | slipway predict {}\n", bold("try"),
                                set->records.size(), made_on, set->records.front().record, path));
    }
  }
}

ExitCode Inspect(const std::string& path, Console& console) {
  auto loaded = LoadBundle(path);
  if (!loaded) return console.Fail(loaded.error());
  auto digest = loaded->bundle.Digest();
  if (!digest) return console.Fail(digest.error());
  if (console.json()) {
    console.Result(ToValue(*loaded, *digest));
  } else {
    PrintScreen(*loaded, *digest, path, console);
  }
  return ExitCode::kFine;
}

}  // namespace

void AddInspect(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("inspect", "Show what a bundle accepts and answers");
  static std::string path;
  command->add_option("bundle", path, "A folder or a .slipway file")->required();
  command->footer("Example:\n  slipway inspect flight-delay-1.0.0.slipway");
  command->callback([&run] { run = [](Console& console) { return Inspect(path, console); }; });
}

}  // namespace slipway::cli
