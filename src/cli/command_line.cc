#include "cli/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/console.h"
#include "cli/isolation.h"
#include "cli/program_version.h"
#include "cli/trial.h"
#include "engine/onnx/runtime.h"

namespace slipway::cli {
namespace {

/// "batch run"
std::string FullName(const CLI::App& command) {
  const auto* parent = command.get_parent();
  return parent && parent->get_parent() ? parent->get_name() + " " + command.get_name() : command.get_name();
}

/// What is wrong with the command line, in words that name the way out; nullopt where the parser's words do.
/// `command`: the innermost that was recognised, `words`: what follows it.
std::optional<std::string> UsageFault(const CLI::App& command, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const auto* known : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(known->get_name());
  }
  if (!names.empty()) {
    if (words.empty() || words[0].starts_with("-")) return std::nullopt;
    const auto what = command.get_parent() ? fmt::format("`slipway {}` has no command", FullName(command))
                                           : std::string("there is no command");
    return fmt::format("{} {:?}{}; the commands are {}", what, words[0], base::DidYouMean(words[0], names),
                       fmt::join(names, ", "));
  }
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const auto& word : words) {
    const auto name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || name == "--" || std::ranges::find(names, name) != names.end()) continue;
    return fmt::format("`slipway {}` has no option {}{}", FullName(command), name, base::DidYouMean(name, names));
  }
  return std::nullopt;
}

ExitCode FailUsage(const CLI::App& app, const std::vector<std::string>& words, const std::string& problem,
                   const Console& console) {
  const CLI::App* command = &app;
  auto rest = words;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    const auto at = std::ranges::find(rest, command->get_name());
    rest.erase(rest.begin(), at == rest.end() ? at : at + 1);
  }
  if (words.empty()) {
    std::fputs(app.help().c_str(), stderr);
    return ExitCode::kUsage;
  }
  const auto help = command != &app ? fmt::format("slipway {} --help", FullName(*command)) : "slipway --help";
  return console.Fail({base::Code::kInvalidArgument,
                       "usage",
                       fmt::format("{}; see `{}`", UsageFault(*command, rest).value_or(problem), help),
                       {}});
}

/// For every command that does something itself.
void AddJsonFlag(CLI::App& app, bool& json) {
  for (auto* command : app.get_subcommands({})) {
    if (command->get_name() == "completion") continue;
    if (!command->get_subcommands({}).empty()) {
      AddJsonFlag(*command, json);
    } else {
      command->add_flag("--json", json, "Print the result (or the error) as JSON on stdout");
    }
  }
}

}  // namespace

int Main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow further is a failed write, told like a full disk
  std::signal(SIGCHLD, SIG_DFL);  // a supervisor may have had it ignored, and nobody would learn how a child ended
  engine::onnx::ForbidTelemetry();
  if (argc > 1 && argv[1] == engine::kTrialCommand) return TryBundle({argv + 2, argv + argc});
  if (argc > 1 && argv[1] == engine::kIsolatedCommand) return RunEngine({argv + 2, argv + argc});
  Console console;
  CLI::App app{
      "Slipway takes a trained machine-learning model into production and keeps it there.\n\n"
      "  slipway init train.csv --target late --output flight-delay   read the data, propose slipway.yaml\n"
      "  slipway fit flight-delay --data train.csv                    learn the feature steps\n"
      "  slipway transform flight-delay --data train.csv --output features.parquet --keep late\n"
      "  slipway pack flight-delay --model model.onnx                 make the bundle\n"
      "  slipway serve flight-delay-1.0.0.slipway                     answer requests\n\n"
      "Exit codes: 0 fine, 1 the data or model is at fault, 2 usage, 3 the environment, 4 a batch job stopped and can "
      "go on."};
  app.name("slipway");
  app.require_subcommand(1);
  app.set_version_flag("--version", kProgramVersion);
  Run run;
  for (const auto add : {AddInit, AddFit, AddTransform, AddPack, AddInspect, AddVerify, AddPredict, AddBatch, AddServe,
                         AddBalance, AddCompletion}) {
    add(app, run);
  }
  bool json = false;
  AddJsonFlag(app, json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const std::vector<std::string> words(argv + 1, argv + argc);
    console.set_json(std::ranges::find(words, "--json") != words.end());
    return static_cast<int>(FailUsage(app, words, error.what(), console));
  }
  console.set_json(json);
  try {
    return static_cast<int>(run(console));
  } catch (const std::bad_alloc&) {
    return static_cast<int>(console.Fail({base::Code::kResourceExhausted,
                                          "memory.exhausted",
                                          "not enough memory; give the process more or work on smaller parts",
                                          {}}));
  } catch (const std::exception& error) {
    return static_cast<int>(console.Fail({base::Code::kInternal, "internal", error.what(), {}}));
  }
}

}  // namespace slipway::cli
