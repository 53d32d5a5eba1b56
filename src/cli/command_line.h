#pragma once
// The command line: one subcommand per file of this folder, registered here by name. Heavy work lives in other rooms.

#include <functional>

namespace CLI {
class App;
}

namespace slipway::cli {

class Console;

/// Exit codes, the same for every command.
enum class ExitCode : int {
  kFine = 0,
  kData = 1,         ///< the data, the model or the bundle is at fault
  kUsage = 2,        ///< the command line is
  kEnvironment = 3,  ///< port taken, disk full, library missing
  kStopped = 4,      ///< a batch job ended early with its finished parts kept; resuming goes on
};

/// Runs the program; returns its exit code.
int Main(int argc, char** argv);

/// What a command does once its options are read.
using Run = std::function<ExitCode(Console&)>;
/// Each adds its subcommand to `app` and sets `run` when it is the one chosen.
void AddInit(CLI::App& app, Run& run);
void AddFit(CLI::App& app, Run& run);
void AddTransform(CLI::App& app, Run& run);
void AddPack(CLI::App& app, Run& run);
void AddInspect(CLI::App& app, Run& run);
void AddVerify(CLI::App& app, Run& run);
void AddPredict(CLI::App& app, Run& run);
void AddBatch(CLI::App& app, Run& run);
void AddServe(CLI::App& app, Run& run);
void AddBalance(CLI::App& app, Run& run);
void AddCompletion(CLI::App& app, Run& run);

}  // namespace slipway::cli
