#pragma once
// Where spans are sent, and which: `slipway serve --otlp-endpoint … --trace-sample …`, and behind the flags the
// environment variables of OpenTelemetry. docs/operations/tracing.md lists them.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "telemetry/trace_sampler.h"

namespace slipway::telemetry::otlp {

struct Options {
  std::string url;  ///< whole: "http://collector:4318/v1/traces"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string ca_file;  ///< PEM; empty: the system's
  std::vector<std::pair<std::string, std::string>> resource;
  std::string program_version;
  SamplingOptions sampling;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);       ///< of one attempt
  std::chrono::nanoseconds delay = std::chrono::seconds(1);          ///< a span waits at most so long to be sent
  std::chrono::nanoseconds backoff = std::chrono::seconds(1);        ///< before the second attempt; doubles
  std::chrono::nanoseconds flush_timeout = std::chrono::seconds(2);  ///< what the end of the program waits at most
  int attempts = 5;
  size_t queue_spans = 4096;          ///< requests whose spans wait, over all threads
  std::vector<std::string> warnings;  ///< what the environment says that was left aside, for the log
};

/// What the command line says; empty: nothing.
struct Flags {
  std::string endpoint;
  std::optional<double> sample;
};

/// The value of a variable of the environment, or nullptr.
using Environment = std::function<const char*(const char* name)>;

/// Whether this is the address of a collector. Errors: invalid_argument "otlp.endpoint".
base::Result<void> CheckEndpoint(std::string_view url);

/// nullopt: no traces are sent. Errors: invalid_argument "otlp.endpoint" and "otlp.sample", with the flag or variable.
base::Result<std::optional<Options>> ReadOptions(const Flags& flags, std::string_view program_version,
                                                 const Environment& environment);

}  // namespace slipway::telemetry::otlp
