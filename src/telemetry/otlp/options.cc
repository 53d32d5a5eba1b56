#include "telemetry/otlp/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway::telemetry::otlp {
namespace {

using base::Code;
using base::Fail;
using base::Result;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kTracesPath = "v1/traces";

bool IsHeaderSafe(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

/// "key=value,key=value" with percent escapes; nullopt when a part of it is something else.
std::optional<Pairs> ParsePairs(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view pair = base::Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto key = base::DecodePercent(base::Trim(pair.substr(0, equals)));
    const auto value = base::DecodePercent(base::Trim(pair.substr(equals + 1)));
    if (!key || key->empty() || !value || !IsHeaderSafe(*key) || !IsHeaderSafe(*value)) return std::nullopt;
    pairs.emplace_back(*key, *value);
  }
  return pairs;
}

void Set(Pairs& pairs, std::string_view key, std::string_view value) {
  const auto found = std::ranges::find(pairs, key, &Pairs::value_type::first);
  if (found == pairs.end()) {
    pairs.emplace_back(key, value);
  } else {
    found->second = value;
  }
}

void SetDefault(Pairs& pairs, std::string_view key, std::string_view value) {
  if (std::ranges::find(pairs, key, &Pairs::value_type::first) == pairs.end()) pairs.emplace_back(key, value);
}

Result<void> CheckUrl(std::string_view url, std::string_view where) {
  const auto refuse = [&](std::string_view why) {
    return Fail(Code::kInvalidArgument, "otlp.endpoint",
                fmt::format("the collector's address {} ({:?}); give it as http://HOST:4318 or https://…", why,
                            base::Shorten(url, 128)),
                std::string(where));
  };
  std::string_view rest = url;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return refuse("starts with neither http:// nor https://");
  }
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.starts_with(':')) return refuse("names no host");
  // It would stand in logs.
  if (authority.find('@') != std::string_view::npos) {
    return refuse("holds a user or password, which belong in OTEL_EXPORTER_OTLP_HEADERS");
  }
  if (rest.find_first_of("?#") != std::string_view::npos) return refuse("has a query or fragment");
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c == '\x7f'; })) return refuse("holds a space");
  return {};
}

/// A base address with the path of traces, unless it has it.
std::string WithTracesPath(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.ends_with(kTracesPath)) url += "/" + std::string(kTracesPath);
  return url;
}

class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  /// As the standard has it, an empty variable is as good as none.
  std::string Get(const char* name) const {
    const char* value = environment_(name);
    return value == nullptr ? std::string() : std::string(base::Trim(value));
  }
  /// The first of two that is set: of traces, then of all signals.
  std::string Get(const char* first, const char* second) const {
    std::string value = Get(first);
    return value.empty() ? Get(second) : value;
  }
  Pairs GetPairs(const char* name, std::vector<std::string>& warnings) const {
    const auto pairs = ParsePairs(Get(name));
    if (pairs) return *pairs;
    warnings.push_back(fmt::format("{} is left aside: it is a list key=value,key=value with percent escapes", name));
    return {};
  }

 private:
  const Environment& environment_;
};

void ReadSampling(const Flags& flags, const Reader& reader, Options& options) {
  struct Known {
    std::string_view name;
    bool parent_based;
    std::optional<double> share;  ///< nullopt: OTEL_TRACES_SAMPLER_ARG
  };
  static constexpr std::array<Known, 6> kSamplers = {{{"always_on", false, 1},
                                                      {"always_off", false, 0},
                                                      {"traceidratio", false, std::nullopt},
                                                      {"parentbased_always_on", true, 1},
                                                      {"parentbased_always_off", true, 0},
                                                      {"parentbased_traceidratio", true, std::nullopt}}};
  if (const std::string name = reader.Get("OTEL_TRACES_SAMPLER"); !name.empty()) {
    const auto known = std::ranges::find(kSamplers, name, &Known::name);
    const auto argument = base::ParseDouble(reader.Get("OTEL_TRACES_SAMPLER_ARG"));
    if (known == kSamplers.end()) {
      options.warnings.push_back(
          fmt::format("OTEL_TRACES_SAMPLER={} is left aside: there is no such sampler here", base::Shorten(name)));
    } else {
      options.sampling.parent_based = known->parent_based;
      options.sampling.share = known->share.value_or(argument && *argument >= 0 && *argument <= 1 ? *argument : 1);
    }
  }
  if (flags.sample) options.sampling.share = *flags.sample;
}

void ReadResource(const Reader& reader, std::string_view program_version, Options& options) {
  options.resource = reader.GetPairs("OTEL_RESOURCE_ATTRIBUTES", options.warnings);
  if (const std::string name = reader.Get("OTEL_SERVICE_NAME"); !name.empty()) {
    Set(options.resource, "service.name", name);
  }
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  SetDefault(options.resource, "service.name", "slipway");
  SetDefault(options.resource, "service.version", program_version);
  SetDefault(options.resource, "host.name", host.data());
  options.program_version = program_version;
}

/// What can only be warned of, since a whole fleet may share one environment.
void ReadProtocol(const Reader& reader, Options& options) {
  const std::string protocol = reader.Get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol == "grpc") {
    options.warnings.push_back(
        "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is left aside: traces are sent as http/json, to port 4318 as a rule");
  }
  const std::string timeout = reader.Get("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT");
  if (timeout.empty()) return;
  const auto milliseconds = base::ParseInt64(timeout);
  if (milliseconds && *milliseconds > 0 && *milliseconds <= 600'000) {
    options.timeout = std::chrono::milliseconds(*milliseconds);
  } else {
    options.warnings.push_back("OTEL_EXPORTER_OTLP_TIMEOUT is left aside: it is a number of milliseconds, 1 to 600000");
  }
}

/// The address, or empty: none is given.
Result<std::string> ReadUrl(const Flags& flags, const Reader& reader) {
  if (!flags.endpoint.empty()) {
    SLIPWAY_TRY(CheckUrl(flags.endpoint, "--otlp-endpoint"));
    return WithTracesPath(flags.endpoint);
  }
  if (reader.Get("OTEL_SDK_DISABLED") == "true" || reader.Get("OTEL_TRACES_EXPORTER") == "none") return std::string();
  // An address of traces is used as it stands, one of all signals is a base.
  if (std::string url = reader.Get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); !url.empty()) {
    SLIPWAY_TRY(CheckUrl(url, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
    return url;
  }
  std::string url = reader.Get("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (url.empty()) return url;
  SLIPWAY_TRY(CheckUrl(url, "OTEL_EXPORTER_OTLP_ENDPOINT"));
  return WithTracesPath(url);
}

}  // namespace

Result<void> CheckEndpoint(std::string_view url) {
  return CheckUrl(url, {});
}

Result<std::optional<Options>> ReadOptions(const Flags& flags, std::string_view program_version,
                                           const Environment& environment) {
  if (flags.sample && !(*flags.sample >= 0 && *flags.sample <= 1)) {
    return Fail(Code::kInvalidArgument, "otlp.sample",
                fmt::format("the share of traces is a number from 0 to 1, not {}", *flags.sample), "--trace-sample");
  }
  const Reader reader(environment);
  Options options;
  SLIPWAY_ASSIGN(options.url, ReadUrl(flags, reader));
  if (options.url.empty()) {
    if (!flags.sample) return std::optional<Options>();
    return Fail(Code::kInvalidArgument, "otlp.sample",
                "there is no collector to send traces to; name it with --otlp-endpoint", "--trace-sample");
  }
  const bool own = !reader.Get("OTEL_EXPORTER_OTLP_TRACES_HEADERS").empty();
  options.headers =
      reader.GetPairs(own ? "OTEL_EXPORTER_OTLP_TRACES_HEADERS" : "OTEL_EXPORTER_OTLP_HEADERS", options.warnings);
  options.ca_file = reader.Get("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE");
  ReadProtocol(reader, options);
  ReadSampling(flags, reader, options);
  ReadResource(reader, program_version, options);
  return options;
}

}  // namespace slipway::telemetry::otlp
