#include "cli/options/option_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/quantities.h"
#include "base/text.h"

namespace slipway::cli::options {
namespace {

using base::Result;
using TextSpan = std::span<const std::string>;

std::unexpected<base::Error> Misfit(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "option.value", std::move(message));
}

Result<void> CheckRange(const std::string& text, int64_t value, int64_t least, int64_t most,
                        const std::function<std::string(int64_t)>& show) {
  if (value >= least && value <= most) return {};
  if (most == INT64_MAX) return Misfit(fmt::format("{:?} is too small; at least {}", text, show(least)));
  return Misfit(fmt::format("{:?} is out of range; from {} to {}", text, show(least), show(most)));
}

std::string ShowCount(int64_t count) {
  return fmt::format("{}", count);
}

/// Exact, since values are compared by their texts: the largest unit that the value is a whole number of.
template <size_t kUnits>
std::string ShowExactly(int64_t count, const std::pair<int64_t, const char*> (&units)[kUnits]) {
  for (const auto& [factor, name] : units) {
    if (count != 0 && count % factor == 0) return fmt::format("{}{}", count / factor, name);
  }
  return fmt::format("0{}", units[kUnits - 1].second);
}

std::string ShowSize(int64_t bytes) {
  static constexpr std::pair<int64_t, const char*> kUnits[] = {
      {int64_t{1} << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}};
  return ShowExactly(bytes, kUnits);
}

std::string ShowDuration(std::chrono::nanoseconds duration) {
  static constexpr std::pair<int64_t, const char*> kUnits[] = {
      {3'600'000'000'000, "h"}, {60'000'000'000, "m"}, {1'000'000'000, "s"},
      {1'000'000, "ms"},        {1000, "us"},          {1, "ns"}};
  return duration.count() == 0 ? "0s" : ShowExactly(duration.count(), kUnits);
}

template <typename Integer>
OptionValue SizeOf(Integer& target, int64_t least, int64_t most) {
  OptionValue value{.unit = "SIZE"};
  value.write = [&target, least, most](TextSpan texts) -> Result<void> {
    SLIPWAY_ASSIGN(const auto bytes, base::ParseBytes(texts[0]));
    SLIPWAY_TRY(CheckRange(texts[0], bytes.count, least, most, ShowSize));
    target = static_cast<Integer>(bytes.count);
    return {};
  };
  value.read = [&target] { return std::vector{ShowSize(static_cast<int64_t>(target))}; };
  return value;
}

template <typename Integer>
OptionValue CountOf(Integer& target, int64_t least, int64_t most) {
  OptionValue value{.unit = "COUNT"};
  value.write = [&target, least, most](TextSpan texts) -> Result<void> {
    const auto count = base::ParseInt64(texts[0]);
    if (!count) {
      return Misfit(
          fmt::format("{:?} is no whole number; write one from {} to {}", base::Shorten(texts[0]), least, most));
    }
    SLIPWAY_TRY(CheckRange(texts[0], *count, least, most, ShowCount));
    target = static_cast<Integer>(*count);
    return {};
  };
  value.read = [&target] { return std::vector{ShowCount(static_cast<int64_t>(target))}; };
  return value;
}

/// Lets a text stand for "no value" of `target`.
template <typename Target>
OptionValue OrWord(OptionValue value, std::string word, Target& target, Target nothing) {
  value.write = [write = std::move(value.write), word, &target, nothing](TextSpan texts) -> Result<void> {
    if (texts[0] == word) {
      target = nothing;
      return {};
    }
    auto written = write(texts);
    if (!written) written.error().message += fmt::format(", or {}", word);
    return written;
  };
  value.read = [read = std::move(value.read), word, &target, nothing] {
    return target == nothing ? std::vector{word} : read();
  };
  return value;
}

}  // namespace

OptionValue Text(std::string& target, std::string unit, TextCheck check) {
  OptionValue value{.unit = std::move(unit)};
  value.write = [&target, check = std::move(check)](TextSpan texts) -> Result<void> {
    if (check) SLIPWAY_TRY(check(texts[0]));
    target = texts[0];
    return {};
  };
  value.read = [&target] { return std::vector{target}; };
  return value;
}

OptionValue Texts(std::vector<std::string>& target, std::string unit, TextCheck check) {
  OptionValue value{.unit = std::move(unit), .list = true};
  value.write = [&target, check = std::move(check)](TextSpan texts) -> Result<void> {
    for (const std::string& text : texts) {
      if (check) SLIPWAY_TRY(check(text));
    }
    target.assign(texts.begin(), texts.end());
    return {};
  };
  value.read = [&target] { return target; };
  return value;
}

OptionValue Flag(bool& target) {
  OptionValue value{.unit = "", .flag = true};
  value.write = [&target](TextSpan texts) -> Result<void> {
    if (texts[0] != "true" && texts[0] != "false") {
      return Misfit(fmt::format("{:?} is neither true nor false", base::Shorten(texts[0])));
    }
    target = texts[0] == "true";
    return {};
  };
  value.read = [&target] { return std::vector<std::string>{target ? "true" : "false"}; };
  return value;
}

OptionValue Size(int64_t& target, int64_t least, int64_t most) {
  return SizeOf(target, least, most);
}

OptionValue Size(size_t& target, int64_t least, int64_t most) {
  return SizeOf(target, least, most);
}

OptionValue Duration(std::chrono::nanoseconds& target, bool may_be_zero) {
  OptionValue value{.unit = "DURATION"};
  value.write = [&target, may_be_zero](TextSpan texts) -> Result<void> {
    SLIPWAY_ASSIGN(const auto duration, base::ParseDuration(texts[0]));
    if (duration.count() == 0 && !may_be_zero) return Misfit(fmt::format("{:?} must be above zero", texts[0]));
    target = duration;
    return {};
  };
  value.read = [&target] { return std::vector{ShowDuration(target)}; };
  return value;
}

OptionValue Count(int64_t& target, int64_t least, int64_t most) {
  return CountOf(target, least, most);
}

OptionValue Count(int& target, int least, int most) {
  return CountOf(target, least, most);
}

OptionValue CountOrAuto(int& target, int most) {
  return OrWord(CountOf(target, 1, most), "auto", target, 0);
}

OptionValue Share(std::optional<double>& target) {
  OptionValue value{.unit = "SHARE"};
  value.write = [&target](TextSpan texts) -> Result<void> {
    const auto share = base::ParseDouble(texts[0]);
    if (!share || !(*share >= 0 && *share <= 1)) {
      return Misfit(fmt::format("{:?} is no share; write a number from 0 to 1", base::Shorten(texts[0])));
    }
    target = share;
    return {};
  };
  value.read = [&target] { return std::vector{fmt::format("{}", target.value_or(0))}; };
  return OrWord<std::optional<double>>(std::move(value), "none", target, std::nullopt);
}

OptionValue Seconds(std::optional<double>& target) {
  OptionValue value{.unit = "DURATION"};
  value.write = [&target](TextSpan texts) -> Result<void> {
    SLIPWAY_ASSIGN(const auto duration, base::ParseDuration(texts[0]));
    target = std::chrono::duration<double>(duration).count();
    return {};
  };
  value.read = [&target] {
    const auto duration = std::chrono::duration<double>(target.value_or(0));
    return std::vector{ShowDuration(std::chrono::round<std::chrono::nanoseconds>(duration))};
  };
  return OrWord<std::optional<double>>(std::move(value), "none", target, std::nullopt);
}

OptionValue Word(std::vector<std::string> words, std::function<void(const std::string& word)> set,
                 std::function<std::string()> get) {
  OptionValue value{.unit = "WORD", .words = std::move(words)};
  value.write = [known = value.words, set = std::move(set)](TextSpan texts) -> Result<void> {
    if (std::ranges::find(known, texts[0]) == known.end()) {
      const std::span<const std::string> words = known;
      return Misfit(fmt::format("{:?} is not taken; write {} or {}{}", base::Shorten(texts[0]),
                                fmt::join(words.first(words.size() - 1), ", "), words.back(),
                                base::DidYouMean(texts[0], known)));
    }
    set(texts[0]);
    return {};
  };
  value.read = [get = std::move(get)] { return std::vector{get()}; };
  return value;
}

}  // namespace slipway::cli::options
