// slipway completion: prints a completion script made from the commands and options themselves.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/console.h"

namespace slipway::cli {
namespace {

struct OptionWords {
  std::string name;                 ///< "--format"
  std::vector<std::string> values;  ///< that it takes, when they are few
};

struct CommandWords {
  std::string name, summary;
  std::vector<OptionWords> options;
  std::vector<std::string> values;  ///< of the positional argument; empty: files

  std::string Options() const {
    std::vector<std::string> names;
    for (const auto& option : options) names.push_back(option.name);
    return fmt::format("{}", fmt::join(names, " "));
  }
};

/// What CLI::IsMember allows, out of the type that help shows: "TEXT:{bash,zsh,fish}".
std::vector<std::string> ValuesOf(const CLI::Option& option) {
  std::vector<std::string> values;
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{'), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return values;
  for (size_t at = begin + 1; at < end;) {
    const size_t comma = std::min(type.find(',', at), end);
    values.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return values;
}

std::vector<CommandWords> Words(const CLI::App& app) {
  std::vector<CommandWords> words;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandWords entry{command->get_name(), command->get_description(), {}, {}};
    entry.summary = entry.summary.substr(0, entry.summary.find('\n'));
    for (const auto* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) entry.options.push_back({"--" + name, ValuesOf(*option)});
      if (option->get_positional()) entry.values = ValuesOf(*option);
    }
    words.push_back(std::move(entry));
  }
  return words;
}

/// In single quotes; `escaped` stands for a quote inside: shells differ.
std::string InQuotes(const std::string& text, std::string_view escaped) {
  std::string quoted = "'";
  for (const char c : text) c == '\'' ? quoted += escaped : quoted += c;
  return quoted + "'";
}

std::string Bash(const std::vector<CommandWords>& words) {
  std::string names, values, options;
  for (const auto& command : words) {
    names += command.name + " ";
    for (const auto& option : command.options) {
      if (option.values.empty()) continue;
      values += fmt::format("    '{} {}') words='{}' ;;\n", command.name, option.name, fmt::join(option.values, " "));
    }
    options += fmt::format("    {}) if [[ $word == -* ]]; then words='{}'; else words='{}'; fi ;;\n", command.name,
                           command.Options(), fmt::join(command.values, " "));
  }
  return fmt::format(
      "_slipway() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" before=\"${{COMP_WORDS[COMP_CWORD-1]}}\" words=''\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then words='{}--help --version'; fi\n"
      "  case \"${{COMP_WORDS[1]}} $before\" in\n{}  esac\n"
      "  if [ -z \"$words\" ]; then case \"${{COMP_WORDS[1]}}\" in\n{}  esac; fi\n"
      "  if [ -n \"$words\" ]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "  else\n"
      "    compopt -o filenames 2>/dev/null\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "  fi\n"
      "}}\ncomplete -F _slipway slipway\n",
      names, values, options);
}

std::string Zsh(const std::vector<CommandWords>& words) {
  std::string names, values, options;
  for (const auto& command : words) {
    names += fmt::format("    {}\n", InQuotes(command.name + ":" + command.summary, "'\\''"));
    for (const auto& option : command.options) {
      if (option.values.empty()) continue;
      values += fmt::format("    '{} {}') compadd -- {}; return ;;\n", command.name, option.name,
                            fmt::join(option.values, " "));
    }
    options += fmt::format("    {}) options=({}) values=({}) ;;\n", command.name, command.Options(),
                           fmt::join(command.values, " "));
  }
  return fmt::format(
      "#compdef slipway\n_slipway() {{\n  local -a commands options values\n  commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  case \"$words[2] $words[CURRENT-1]\" in\n{}  esac\n"
      "  case $words[2] in\n{}  esac\n"
      "  if [[ $words[CURRENT] == -* ]]; then compadd -- $options\n"
      "  elif (( $#values )); then compadd -- $values\n"
      "  else _files; fi\n}}\ncompdef _slipway slipway\n",
      names, values, options);
}

std::string Fish(const std::vector<CommandWords>& words) {
  std::string text;
  for (const auto& command : words) {
    text += fmt::format("complete -c slipway -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                        InQuotes(command.summary, "\\'"));
    const auto within = fmt::format("complete -c slipway -n '__fish_seen_subcommand_from {}'", command.name);
    if (!command.values.empty()) text += fmt::format("{} -f -a '{}'\n", within, fmt::join(command.values, " "));
    for (const auto& option : command.options) {
      text += fmt::format("{} -l {}", within, option.name.substr(2));
      if (!option.values.empty()) text += fmt::format(" -x -a '{}'", fmt::join(option.values, " "));
      text += "\n";
    }
  }
  return text;
}

}  // namespace

void AddCompletion(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("completion", "Print a shell completion script");
  static std::string shell;
  command->add_option("shell", shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example:\n  source <(slipway completion bash)");
  command->callback([&app, &run] {
    run = [&app](Console& console) {
      const auto words = Words(app);
      console.Print(shell == "bash" ? Bash(words) : shell == "zsh" ? Zsh(words) : Fish(words));
      return ExitCode::kFine;
    };
  });
}

}  // namespace slipway::cli
