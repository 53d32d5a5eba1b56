#pragma once
// Where the values of an OptionTable come from: a YAML file, environment variables, flags. Each reader returns what its
// source says and refuses what the table does not know; values are checked when the table takes them.

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options/option_table.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
class Option;
}  // namespace CLI

namespace slipway::cli::options {

/// The text of a YAML file; `name` is the file's in origins and errors. Errors: invalid_argument "option.syntax",
/// "option.unknown" (with the nearest known key), "option.value"; `where` is "NAME:LINE".
base::Result<GivenOptions> ReadOptionText(const OptionTable& table, std::string_view text, const std::string& name);
/// The file at `path`. Errors: those above, and those of base::ReadFile.
base::Result<GivenOptions> ReadOptionFile(const OptionTable& table, const std::string& path);

/// Variables ("NAME=VALUE") with the table's prefix. Lists are separated by commas. Those that Kubernetes sets for a
/// Service of the program's own name (…_SERVICE_HOST, …_PORT, …) are passed over. Errors: "option.unknown".
base::Result<GivenOptions> ReadEnvironment(const OptionTable& table, char** environment);

/// A table's options as flags of a command. Lifecycle: AddTo() before the command line is parsed, Take() after; lives
/// as long as the command.
class OptionFlags {
 public:
  void AddTo(CLI::App& command, const OptionTable& table);
  GivenOptions Take() const;

 private:
  struct Typed {
    std::string name, shown;
    const CLI::Option* option;
    std::string text;
    std::vector<std::string> texts;
  };
  std::list<Typed> typed_;  ///< at places that do not move
};

}  // namespace slipway::cli::options
