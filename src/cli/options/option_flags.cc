#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <cctype>

#include "cli/options/option_sources.h"

namespace slipway::cli::options {
namespace {

/// "limits" heads its flags in the help as "Limits", "tls" as "TLS".
std::string Heading(const std::string& group) {
  if (group.empty()) return "Options";
  std::string heading = group;
  const bool initials = group == "tls" || group == "cors";
  for (size_t i = 0; i < (initials ? heading.size() : 1); ++i) {
    heading[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(heading[i])));
  }
  return heading;
}

}  // namespace

void OptionFlags::AddTo(CLI::App& command, const OptionTable& table) {
  for (const Option& option : table.options()) {
    Typed& typed = typed_.emplace_back(Typed{option.name, option.Flag(), nullptr, {}, {}});
    const std::string name = option.positional ? option.name : option.Flag();
    if (option.positional) typed.shown = "command line";
    CLI::Option* added = option.value.flag   ? command.add_flag(name, typed.text, option.help)
                         : option.value.list ? command.add_option(name, typed.texts, option.help)
                                             : command.add_option(name, typed.text, option.help);
    typed.option = added;
    added->group(Heading(option.group));
    if (option.value.flag) continue;
    const auto& words = option.value.words;
    added->type_name(words.empty() ? option.value.unit : fmt::format("{{{}}}", fmt::join(words, ",")));
    const std::string standard = table.ShownDefault(option);
    if (standard != "none") added->default_str(standard);
    if (option.value.list && !option.positional) added->allow_extra_args(false);
  }
}

GivenOptions OptionFlags::Take() const {
  GivenOptions given;
  for (const Typed& typed : typed_) {
    if (typed.option->count() == 0) continue;
    given[typed.name] = {.texts = typed.texts.empty() ? std::vector{typed.text} : typed.texts,
                         .origin = {Origin::Kind::kFlag, typed.shown}};
  }
  return given;
}

}  // namespace slipway::cli::options
