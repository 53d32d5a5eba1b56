#pragma once
// The kinds of option values. Each function ties texts to a target, which outlives what is returned; the rule of the
// kind is checked when a text is written.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options/option_table.h"

namespace slipway::cli::options {

/// What may be wrong with a text beyond its form.
using TextCheck = std::function<base::Result<void>(const std::string& text)>;

OptionValue Text(std::string& target, std::string unit, TextCheck check = {});
OptionValue Texts(std::vector<std::string>& target, std::string unit, TextCheck check = {});
/// "true", "false".
OptionValue Flag(bool& target);

/// "64MiB"
OptionValue Size(int64_t& target, int64_t least = 1, int64_t most = INT64_MAX);
OptionValue Size(size_t& target, int64_t least = 1, int64_t most = INT64_MAX);
/// "250ms"
OptionValue Duration(std::chrono::nanoseconds& target, bool may_be_zero = false);
OptionValue Count(int64_t& target, int64_t least, int64_t most = int64_t{1} << 30);
OptionValue Count(int& target, int least, int most = 1 << 30);
/// A count where 0 means that the program chooses, shown as "auto".
OptionValue CountOrAuto(int& target, int most);

/// A share from 0 to 1, or "none".
OptionValue Share(std::optional<double>& target);
/// A duration, kept in seconds, or "none".
OptionValue Seconds(std::optional<double>& target);

/// One of `words`. `set` gets a word that is among them, `get` says which stands.
OptionValue Word(std::vector<std::string> words, std::function<void(const std::string& word)> set,
                 std::function<std::string()> get);

}  // namespace slipway::cli::options
