#include "cli/http_options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/quantities.h"

namespace slipway::cli {

/// An option whose value carries a unit.
struct HttpOptions::Quantity {
  const char* name;
  const char* help;
  int64_t net::HttpLimits::* bytes = nullptr;
  std::chrono::nanoseconds net::HttpLimits::* time = nullptr;
  bool may_be_zero = false;
  std::string text;

  base::Result<void> Read(net::HttpLimits& limits) const {
    const auto fault = [&](base::Error error) {
      error.message = fmt::format("{}: {}", name, error.message);
      return std::unexpected(std::move(error));
    };
    int64_t count = 0;
    if (bytes != nullptr) {
      const auto value = base::ParseBytes(text);
      if (!value) return fault(value.error());
      count = limits.*bytes = value->count;
    } else {
      const auto value = base::ParseDuration(text);
      if (!value) return fault(value.error());
      limits.*time = *value;
      count = value->count();
    }
    if (count > 0 || (count == 0 && may_be_zero)) return {};
    return base::Fail(base::Code::kInvalidArgument, "serve.limit",
                      fmt::format("{} must be above zero, not \"{}\"", name, text));
  }
};

HttpOptions::HttpOptions() {
  using L = net::HttpLimits;
  const auto add = [&](Quantity quantity) {
    quantity.text = quantity.bytes != nullptr ? base::FormatBytes({limits_.*quantity.bytes})
                                              : base::FormatDuration(limits_.*quantity.time);
    quantities_.push_back(std::make_unique<Quantity>(std::move(quantity)));
  };
  add({"--max-target", "Longest request target (414)", &L::target_bytes});
  add({"--max-header", "Largest request line and headers together (431)", &L::head_bytes});
  add({"--max-body", "Largest request body handled whole (413)", &L::body_bytes});
  add({"--max-stream", "Largest JSON lines or CSV body answered as it arrives (413)", &L::streamed_bytes});
  add({"--max-decoded", "Largest body once its Content-Encoding is off; 0B: as --max-body (413)", &L::decoded_bytes,
       nullptr, true});
  add({"--max-unsent", "Streamed answer kept for a client that does not read, before reading stops", &L::unsent_bytes});
  add({"--min-body-rate", "Bytes a second that a body must arrive at; 0B: any (408)", &L::body_rate, nullptr, true});
  add({"--body-rate-window", "Over which the rate is measured", nullptr, &L::body_rate_window});
  add({"--header-timeout", "From the first byte of a request to the end of its headers (408)", nullptr,
       &L::header_deadline});
  add({"--body-timeout", "From there to the end of a body handled whole (408)", nullptr, &L::body_deadline});
  add({"--write-timeout", "For a client to take more of an answer", nullptr, &L::write_deadline});
  add({"--idle-timeout", "Between requests of a connection", nullptr, &L::idle_timeout});
}

HttpOptions::~HttpOptions() = default;

void HttpOptions::AddTo(CLI::App& command) {
  const std::string group = "Limits";
  for (const auto& quantity : quantities_) {
    command.add_option(quantity->name, quantity->text, quantity->help)
        ->capture_default_str()
        ->group(group)
        ->check([known = quantity.get()](const std::string& text) {
          Quantity given = *known;
          given.text = text;
          net::HttpLimits scratch;
          const auto read = given.Read(scratch);
          return read ? std::string() : read.error().message;
        });
  }
  const auto count = [&](const char* name, auto& value, const char* help, int64_t least) {
    command.add_option(name, value, help)
        ->capture_default_str()
        ->check(CLI::Range(least, int64_t{1} << 30))
        ->group(group);
  };
  count("--max-headers", limits_.header_count, "Most headers of a request (431)", 1);
  count("--max-chunks", limits_.chunk_count, "Most chunks of a body handled whole (413)", 1);
  count("--max-decoded-ratio", limits_.decoded_ratio, "Most decoded bytes for each coded one (413)", 1);
  count("--max-connections", limits_.connections, "Most connections (503)", 1);
  count("--max-connections-per-address", limits_.connections_per_address,
        "Most connections of an IPv4 address or IPv6 /64; 0: any (429)", 0);
  count("--max-requests-per-connection", limits_.requests_per_connection,
        "After which a connection is closed in good order; 0: any", 0);
  count("--max-requests-per-turn", limits_.requests_per_turn,
        "Pipelined requests of a connection answered before others have their turn", 1);
  count("--max-in-flight", limits_.requests_in_flight,
        "Most requests waiting for bytes or for the client to read (429)", 1);
  command.add_option("--cors-origin", origins_,
                     "Web origin whose scripts may read answers (scheme://host[:port], or *)");
  command.add_flag("--cors-credentials", credentials_, "Allow those scripts to send cookies; not with *");
  command.add_flag("--compress", compress_, "Answer in gzip or zstd when the client takes it and the answer is large");
}

base::Result<net::HttpLimits> HttpOptions::Limits() const {
  net::HttpLimits limits = limits_;
  for (const auto& quantity : quantities_) SLIPWAY_TRY(quantity->Read(limits));
  return limits;
}

base::Result<net::CorsOptions> HttpOptions::Cors() const {
  net::CorsOptions cors{.origins = origins_, .credentials = credentials_};
  SLIPWAY_TRY(cors.Check());
  return cors;
}

}  // namespace slipway::cli
