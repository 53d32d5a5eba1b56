#include <fmt/format.h>

#include "base/text.h"
#include "cli/options/option_sources.h"

namespace slipway::cli::options {
namespace {

/// What Kubernetes puts into every container beside a Service named like the prefix ("slipway-serve").
bool IsServiceLink(std::string_view rest) {
  return rest == "PORT" || rest == "SERVICE_HOST" || rest.starts_with("SERVICE_PORT") ||
         (rest.starts_with("PORT_") && rest.size() > 5 && rest[5] >= '0' && rest[5] <= '9');
}

std::vector<std::string> SplitList(std::string_view text, const std::string& continuation) {
  std::vector<std::string> texts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = base::Trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (!texts.empty() && !continuation.empty() && part.starts_with(continuation)) {
      texts.back().append(",").append(part);
    } else if (!part.empty()) {
      texts.emplace_back(part);
    }
  }
  return texts;
}

std::unexpected<base::Error> Unknown(const OptionTable& table, std::string_view name) {
  std::vector<std::string> known;
  for (const Option& option : table.options()) known.push_back(option.Variable(table.variable_prefix()));
  return base::Fail(base::Code::kInvalidArgument, "option.unknown",
                    fmt::format("there is no such option{}; unset the variable, or name it without {}",
                                base::DidYouMean(name, known), table.variable_prefix()),
                    std::string(name));
}

}  // namespace

base::Result<GivenOptions> ReadEnvironment(const OptionTable& table, char** environment) {
  GivenOptions given;
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (!text.starts_with(table.variable_prefix()) || equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals), value = text.substr(equals + 1);
    if (IsServiceLink(name.substr(table.variable_prefix().size()))) continue;
    const Option* found = nullptr;
    for (const Option& option : table.options()) {
      if (option.Variable(table.variable_prefix()) == name) found = &option;
    }
    if (found == nullptr) return Unknown(table, name);
    given[found->name] = {
        .texts = found->value.list ? SplitList(value, found->value.continuation) : std::vector{std::string(value)},
        .origin = {Origin::Kind::kEnvironment, std::string(name)}};
  }
  return given;
}

}  // namespace slipway::cli::options
