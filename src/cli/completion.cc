// slipway completion: prints a completion script made from the commands and options themselves.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/console.h"

namespace slipway::cli {
namespace {

struct CommandWords {
  std::string name, summary;
  std::vector<std::string> options;
};

std::vector<CommandWords> Words(const CLI::App& app) {
  std::vector<CommandWords> words;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandWords entry{command->get_name(), command->get_description(), {}};
    entry.summary = entry.summary.substr(0, entry.summary.find('\n'));
    for (const auto* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) entry.options.push_back("--" + name);
    }
    words.push_back(std::move(entry));
  }
  return words;
}

std::string Bash(const std::vector<CommandWords>& words) {
  std::string cases, names;
  for (const auto& command : words) {
    names += command.name + " ";
    cases += fmt::format("    {}) options=\"{}\" ;;\n", command.name, fmt::join(command.options, " "));
  }
  return fmt::format(
      "_slipway() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" options=\"\"\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then COMPREPLY=($(compgen -W \"{}\" -- \"$word\")); return; fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  case \"$word\" in -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;; *) COMPREPLY=($(compgen -f -- "
      "\"$word\")) ;; esac\n"
      "}}\ncomplete -o filenames -F _slipway slipway\n",
      names, cases);
}

std::string Zsh(const std::vector<CommandWords>& words) {
  std::string cases, names;
  for (const auto& command : words) {
    names += fmt::format("    '{}:{}'\n", command.name, command.summary);
    cases += fmt::format("    {}) options=({}) ;;\n", command.name, fmt::join(command.options, " "));
  }
  return fmt::format(
      "#compdef slipway\n_slipway() {{\n  local -a commands options\n  commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  case $words[2] in\n{}  esac\n"
      "  if [[ $words[CURRENT] == -* ]]; then compadd -- $options; else _files; fi\n}}\ncompdef _slipway slipway\n",
      names, cases);
}

std::string Fish(const std::vector<CommandWords>& words) {
  std::string text;
  for (const auto& command : words) {
    text += fmt::format("complete -c slipway -n __fish_use_subcommand -a {} -d '{}'\n", command.name, command.summary);
    for (const auto& option : command.options) {
      text += fmt::format("complete -c slipway -n '__fish_seen_subcommand_from {}' -l {}\n", command.name,
                          option.substr(2));
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
