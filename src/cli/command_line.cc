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

/// What is wrong with the command line, in words that name the way out; nullopt where the parser's words do.
std::optional<std::string> UsageFault(const CLI::App& app, const CLI::App* command,
                                      const std::vector<std::string>& words) {
  std::vector<std::string> names;
  if (command == nullptr) {
    if (words.empty() || words[0].starts_with("-")) return std::nullopt;
    for (const auto* known : app.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(known->get_name());
    }
    return fmt::format("there is no command {:?}{}; the commands are {}", words[0], base::DidYouMean(words[0], names),
                       fmt::join(names, ", "));
  }
  for (const auto* option : command->get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const auto& word : words) {
    const auto name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || name == "--" || std::ranges::find(names, name) != names.end()) continue;
    return fmt::format("`slipway {}` has no option {}{}", command->get_name(), name, base::DidYouMean(name, names));
  }
  return std::nullopt;
}

ExitCode FailUsage(const CLI::App& app, const std::vector<std::string>& words, const std::string& problem,
                   const Console& console) {
  const auto chosen = app.get_subcommands();
  const auto* command = chosen.empty() ? nullptr : chosen.front();
  if (words.empty()) {
    std::fputs(app.help().c_str(), stderr);
    return ExitCode::kUsage;
  }
  const auto help = command ? fmt::format("slipway {} --help", command->get_name()) : "slipway --help";
  return console.Fail({base::Code::kInvalidArgument,
                       "usage",
                       fmt::format("{}; see `{}`", UsageFault(app, command, words).value_or(problem), help),
                       {}});
}

}  // namespace

int Main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
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
      "Exit codes: 0 fine, 1 the data or model is at fault, 2 usage, 3 the environment."};
  app.name("slipway");
  app.require_subcommand(1);
  app.set_version_flag("--version", kProgramVersion);
  Run run;
  for (const auto add : {AddInit, AddFit, AddTransform, AddPack, AddInspect, AddVerify, AddPredict, AddServe,
                         AddBalance, AddCompletion}) {
    add(app, run);
  }
  bool json = false;
  for (auto* command : app.get_subcommands({})) {
    if (command->get_name() != "completion") {
      command->add_flag("--json", json, "Print the result (or the error) as JSON on stdout");
    }
  }
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
