#include "cli/options/option_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace slipway::cli::options {
namespace {

std::string Show(const Option& option, const std::vector<std::string>& texts) {
  if (texts.empty() || (texts.size() == 1 && texts[0].empty())) return "none";
  if (option.secret) return "(hidden)";
  return fmt::format("{}", fmt::join(texts, ","));
}

/// The flag and the variable name their option themselves; a line of a file does not.
base::Error Placed(base::Error error, const Option& option, const Origin& origin) {
  error.code = base::Code::kInvalidArgument;
  error.reason = origin.kind == Origin::Kind::kFlag ? "usage" : "option.value";
  if (origin.kind == Origin::Kind::kFile) error.message = fmt::format("{}: {}", option.Key(), error.message);
  if (option.secret) error.message = "the value of a secret does not fit; it is not shown here";
  error.where = origin.text;
  return error;
}

}  // namespace

std::string Option::Key() const {
  if (group.empty()) return name;
  const bool said = name.starts_with(group + "-");
  return group + "." + (said ? name.substr(group.size() + 1) : name);
}

std::string Option::Variable(std::string_view prefix) const {
  std::string variable(prefix);
  for (const char c : name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

OptionTable::OptionTable(std::string variable_prefix, std::vector<Option> options)
    : prefix_(std::move(variable_prefix)), options_(std::move(options)), origins_(options_.size()) {
  for (const Option& option : options_) defaults_.push_back(option.value.read());
}

const Option* OptionTable::Find(std::string_view name) const {
  const auto found = std::ranges::find(options_, name, &Option::name);
  return found == options_.end() ? nullptr : &*found;
}

const Option* OptionTable::FindKey(std::string_view key) const {
  const auto found = std::ranges::find_if(options_, [&](const Option& o) { return o.in_file && o.Key() == key; });
  return found == options_.end() ? nullptr : &*found;
}

base::Result<void> OptionTable::Take(const GivenOptions& given) {
  for (size_t i = 0; i < options_.size(); ++i) {
    const auto found = given.find(options_[i].name);
    if (found == given.end()) continue;
    const auto& [texts, origin] = found->second;
    if (!options_[i].value.list && texts.size() != 1) {
      return std::unexpected(Placed({{}, {}, "takes one value, not a list", {}}, options_[i], origin));
    }
    if (auto written = options_[i].value.write(texts); !written) {
      return std::unexpected(Placed(std::move(written).error(), options_[i], origin));
    }
    origins_[i] = origin;
  }
  return {};
}

std::string OptionTable::Shown(const Option& option) const {
  return Show(option, option.value.read());
}

std::string OptionTable::ShownDefault(const Option& option) const {
  return Show(option, defaults_[static_cast<size_t>(&option - options_.data())]);
}

const Origin& OptionTable::OriginOf(const Option& option) const {
  return origins_[static_cast<size_t>(&option - options_.data())];
}

bool SameValue(const Option& a, const Option& b) {
  return a.value.read() == b.value.read();
}

}  // namespace slipway::cli::options
