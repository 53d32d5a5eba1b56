#include <fmt/format.h>

#include <set>

#include "base/files.h"
#include "base/text.h"
#include "base/value.h"
#include "bundle/manifest.h"
#include "cli/options/option_sources.h"

namespace slipway::cli::options {
namespace {

using base::Result;
using base::Value;

constexpr int64_t kLargestFile = 1 << 20;

class FileReader {
 public:
  FileReader(const OptionTable& table, const std::string& name) : table_(table), name_(name) {
    for (const Option& option : table.options()) groups_.insert(option.group);
    groups_.erase("");
  }

  Result<GivenOptions> Read(const Value& root) {
    if (root.is_null()) return std::move(given_);
    if (!root.is_map())
      return Fail(root, "option.syntax", "a configuration file is a map of options, such as \"threads: 4\"");
    for (const auto& [key, value] : root.map()) {
      if (groups_.contains(key)) {
        SLIPWAY_TRY(ReadGroup(key, value));
      } else {
        SLIPWAY_TRY(ReadOption(key, value));
      }
    }
    return std::move(given_);
  }

 private:
  std::string At(const Value& value) const { return fmt::format("{}:{}", name_, value.position().line); }
  std::unexpected<base::Error> Fail(const Value& value, std::string reason, std::string message) const {
    return base::Fail(base::Code::kInvalidArgument, std::move(reason), std::move(message), At(value));
  }

  Result<void> ReadGroup(const std::string& group, const Value& value) {
    if (value.is_null()) return {};
    if (!value.is_map())
      return Fail(value, "option.syntax",
                  fmt::format("{} is a map of options, not a {}", group, base::KindName(value.kind())));
    for (const auto& [key, inner] : value.map()) SLIPWAY_TRY(ReadOption(fmt::format("{}.{}", group, key), inner));
    return {};
  }

  Result<void> ReadOption(const std::string& key, const Value& value) {
    const Option* option = table_.FindKey(key);
    if (option == nullptr) return Fail(value, "option.unknown", fmt::format("unknown key {:?}{}", key, Nearest(key)));
    Given given{.texts = {}, .origin = {Origin::Kind::kFile, At(value)}};
    if (value.is_list()) {
      for (const Value& element : value.list()) SLIPWAY_TRY(AddText(*option, element, given.texts));
    } else {
      SLIPWAY_TRY(AddText(*option, value, given.texts));
    }
    given_[option->name] = std::move(given);
    return {};
  }

  Result<void> AddText(const Option& option, const Value& value, std::vector<std::string>& texts) const {
    const bool fits = value.is_boolean() == option.value.flag;
    if (fits && value.is_string()) {
      texts.push_back(value.string());
    } else if (fits && (value.is_boolean() || value.is_number())) {
      texts.push_back(base::ToJson(value));
    } else {
      const char* rule =
          option.value.flag ? "true or false" : "a text or a number (in quotes if it is neither to YAML)";
      return Fail(value, "option.value",
                  fmt::format("{} takes {}, not a {}", option.Key(), rule, base::KindName(value.kind())));
    }
    return {};
  }

  /// A name that is known elsewhere in the file, or the most similar key.
  std::string Nearest(const std::string& key) const {
    const std::string leaf = key.substr(key.rfind('.') + 1);
    std::vector<std::string> keys, leaves;
    for (const Option& option : table_.options()) {
      if (!option.in_file) continue;
      keys.push_back(option.Key());
      leaves.push_back(keys.back().substr(keys.back().rfind('.') + 1));
      if (option.name == leaf || leaves.back() == leaf) return fmt::format(" (did you mean {:?}?)", keys.back());
    }
    if (const auto whole = base::DidYouMean(key, keys); !whole.empty()) return whole;
    const auto near = base::NearestName(leaf, leaves);
    for (size_t i = 0; !near.empty() && i < keys.size(); ++i) {
      if (leaves[i] == near) return fmt::format(" (did you mean {:?}?)", keys[i]);
    }
    return {};
  }

  const OptionTable& table_;
  const std::string& name_;
  std::set<std::string, std::less<>> groups_;
  GivenOptions given_;
};

}  // namespace

Result<GivenOptions> ReadOptionText(const OptionTable& table, std::string_view text, const std::string& name) {
  auto root = bundle::ParseYaml(text);
  if (!root) {
    base::Error error = std::move(root).error();
    error.reason = "option.syntax";
    error.where = error.where.empty() ? name : name + ":" + error.where;
    return std::unexpected(std::move(error));
  }
  return FileReader(table, name).Read(*root);
}

Result<GivenOptions> ReadOptionFile(const OptionTable& table, const std::string& path) {
  SLIPWAY_ASSIGN(const std::string text, base::ReadFile(path, kLargestFile));
  return ReadOptionText(table, text, path);
}

}  // namespace slipway::cli::options
