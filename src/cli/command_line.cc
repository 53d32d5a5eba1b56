#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

#include "cli/console.h"
#include "cli/program_version.h"

namespace slipway::cli {

int Main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Console console;
  CLI::App app{
      "Slipway takes a trained machine-learning model into production and keeps it there.\n\n"
      "  slipway init train.csv --target late       read the data, propose slipway.yaml\n"
      "  slipway fit . --data train.csv             learn the feature steps\n"
      "  slipway transform . --data train.csv --output features.parquet\n"
      "  slipway pack . --model model.onnx          make the bundle\n"
      "  slipway serve flight-delay-1.0.0.slipway   answer requests\n\n"
      "Exit codes: 0 fine, 1 the data or model is at fault, 2 usage, 3 the environment."};
  app.name("slipway");
  app.require_subcommand(1);
  app.set_version_flag("--version", kProgramVersion);
  Run run;
  for (const auto add :
       {AddInit, AddFit, AddTransform, AddPack, AddInspect, AddVerify, AddPredict, AddServe, AddCompletion}) {
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
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
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
