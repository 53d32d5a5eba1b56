#pragma once
// OptionTable: the options of a command in one list, from which come its flags, the keys of its file, its environment
// variables, its help and its checks.
//
//   ServeConfig config;
//   OptionTable table("SLIPWAY_SERVE_", ServeOptions(config));     // the defaults are what config holds now
//   SLIPWAY_TRY(table.Take(from_file));                            // lowest precedence first
//   SLIPWAY_TRY(table.Take(from_environment));
//   SLIPWAY_TRY(table.Take(from_flags));                           // config now holds what was asked for

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::cli::options {

/// How the texts of an option become a value, and back. Made by the functions of option_kinds.h.
struct OptionValue {
  std::string unit;                ///< as help shows it: "SIZE", "DURATION", "COUNT"
  std::vector<std::string> words;  ///< the texts it takes, when they are few
  bool list = false;               ///< takes any number of texts, other options exactly one
  bool flag = false;               ///< "true" or "false"; a bare flag means true
  /// In a list separated by commas, a text that begins so belongs to the one before it; empty: none does.
  std::string continuation;
  /// Writes the target. Errors: the message says value and rule; it is for the caller to say which option.
  std::function<base::Result<void>(std::span<const std::string> texts)> write;
  /// The target as texts that write() takes.
  std::function<std::vector<std::string>()> read;
};

/// What a value means while the program runs.
enum class Change : uint8_t {
  kRestart,  ///< is fixed when the program starts
  kReload,   ///< may change when the file is read again
};

struct Option {
  std::string name;   ///< "max-body"; "--max-body" as a flag
  std::string group;  ///< the map of the file that holds it; empty: the file's own
  std::string help;
  OptionValue value;
  Change change = Change::kRestart;
  bool secret = false;      ///< never shown
  bool positional = false;  ///< not a flag but the command's arguments
  bool in_file = true;      ///< has a key

  std::string Flag() const { return "--" + name; }
  /// "limits.max-body". A group that the name begins with is not said twice: "tls.cert" of tls-cert.
  std::string Key() const;
  /// "SLIPWAY_SERVE_MAX_BODY"
  std::string Variable(std::string_view prefix) const;
};

/// Where a value came from.
struct Origin {
  enum class Kind : uint8_t { kDefault, kFile, kEnvironment, kFlag };
  Kind kind = Kind::kDefault;
  std::string text = "default";  ///< "serve.yaml:12", "SLIPWAY_SERVE_MAX_BODY", "--max-body"
};

/// What one source says, by the options' names.
struct Given {
  std::vector<std::string> texts;
  Origin origin;
};
using GivenOptions = std::map<std::string, Given, std::less<>>;

/// Thread-safety: one thread. Ownership: the targets that the options write to outlive it.
class OptionTable {
 public:
  OptionTable(std::string variable_prefix, std::vector<Option> options);

  const std::vector<Option>& options() const { return options_; }
  const std::string& variable_prefix() const { return prefix_; }
  const Option* Find(std::string_view name) const;
  const Option* FindKey(std::string_view key) const;

  /// Writes what a source says over what stands. Errors: invalid_argument "option.value", of a
  /// flag "usage"; `where` is the origin.
  base::Result<void> Take(const GivenOptions& given);

  /// An option's value as one text for people and comparison: lists with commas, "none" for nothing, "(hidden)" for a
  /// secret.
  std::string Shown(const Option& option) const;
  std::string ShownDefault(const Option& option) const;
  const Origin& OriginOf(const Option& option) const;

 private:
  std::string prefix_;
  std::vector<Option> options_;
  std::vector<std::vector<std::string>> defaults_;
  std::vector<Origin> origins_;
};

/// The same value, secrets included: whether two tables of the same options differ in one.
bool SameValue(const Option& a, const Option& b);

}  // namespace slipway::cli::options
