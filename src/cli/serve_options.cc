#include "cli/serve_options.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "cli/options/option_kinds.h"
#include "cli/program_version.h"
#include "net/cors.h"
#include "net/listen_address.h"
#include "telemetry/otlp/options.h"

namespace slipway::cli {
namespace {

using namespace options;  // NOLINT(google-build-using-namespace): the kinds of the tables below
using Options = std::vector<Option>;
constexpr Change kReload = Change::kReload;

base::Result<void> CheckAddress(const std::string& text) {
  SLIPWAY_TRY(net::ListenAddress::Parse(text));
  return {};
}

base::Result<void> CheckOptionalAddress(const std::string& text) {
  return text.empty() ? base::Result<void>() : CheckAddress(text);
}

base::Result<void> CheckOrigin(const std::string& text) {
  return net::CorsOptions{.origins = {text}}.Check();
}

OptionValue Addresses(std::vector<std::string>& target) {
  OptionValue value = Texts(target, "ADDRESS", CheckAddress);
  value.continuation = "mode=";  // unix:/run/slipway.sock,mode=0600
  value.write = [write = std::move(value.write)](std::span<const std::string> texts) -> base::Result<void> {
    if (!texts.empty()) return write(texts);
    return base::Fail(base::Code::kInvalidArgument, "option.value", "at least one address is needed");
  };
  return value;
}

/// There may be none.
OptionValue MoreAddresses(std::vector<std::string>& target) {
  OptionValue value = Texts(target, "ADDRESS", CheckAddress);
  value.continuation = "mode=";
  return value;
}

OptionValue ObserveOn(serving::ObserveOn& target) {
  return Word(
      {"both", "admin"}, [&target](const std::string& word) { target = *serving::ParseObserveOn(word); },
      [&target] { return target == serving::ObserveOn::kAdmin ? "admin" : "both"; });
}

OptionValue ClientAuth(std::optional<net::tls::ClientAuth>& target) {
  static const std::vector<std::string> kWords = {"auto", "none", "optional", "require"};
  return Word(
      kWords,
      [&target](const std::string& word) {
        target.reset();
        if (word != kWords[0]) target = *net::tls::ParseClientAuth(word);
      },
      [&target] { return target ? kWords[static_cast<size_t>(*target) + 1] : kWords[0]; });
}

OptionValue Isolation(IsolationConfig::Which& target) {
  static const std::vector<std::string> kWords = {"manifest", "process", "none"};
  return Word(
      kWords,
      [&target](const std::string& word) {
        target = static_cast<IsolationConfig::Which>(std::ranges::find(kWords, word) - kWords.begin());
      },
      [&target] { return kWords[static_cast<size_t>(target)]; });
}

base::Result<void> CheckCollector(const std::string& text) {
  return text.empty() ? base::Result<void>() : telemetry::otlp::CheckEndpoint(text);
}

/// The option itself is a secret, of which no check could say what is wrong.
base::Result<void> CheckSharedCache(const serving::HttpServiceOptions& http) {
  if (http.shared_cache.redis.empty()) return {};
  if (auto address = serving::RedisAddress::Parse(http.shared_cache.redis); !address) {
    return base::Fail(base::Code::kInvalidArgument, "option.value", "--cache-redis: " + address.error().message);
  }
  if (http.cache.memory.count > 0) return {};
  return base::Fail(
      base::Code::kInvalidArgument, "option.value",
      "--cache-redis shares what --cache-memory keeps, and that keeps nothing; add --cache-memory 256MiB");
}

OptionValue LogLevel(telemetry::LogLevel& target) {
  return Word(
      {"debug", "info", "warning", "error", "off"},
      [&target](const std::string& word) { target = *telemetry::ParseLogLevel(word); },
      [&target] { return std::string(telemetry::LogLevelName(target)); });
}

Options General(ServeConfig& c) {
  return {
      {"config", "", "YAML file with these options; SIGHUP reads it again", Text(c.file, "FILE"), {}, {}, {}, false},
      {"bundles", "", "Folders or .slipway files", Texts(c.bundles, "BUNDLE"), kReload, {}, true},
      {"watch", "models", "Serve every bundle in this folder, and what comes and goes there while serving",
       Text(c.watch, "DIR")},
      {"watch-interval", "models", "Between two looks at that folder", Duration(c.live.look_every)},
      {"cache-memory", "cache", "For answers that are given again to the same bytes; 0B: none are kept",
       Size(c.http.cache.memory.count, 0)},
      {"cache-lifetime", "cache", "For so long; 0s: while their version is served",
       Duration(c.http.cache.lifetime, true)},
      {"cache-redis",
       "cache",
       "Share answers of heavy models with other servers: redis://[[user]:password@]host[:port][/database]",
       Text(c.http.shared_cache.redis, "URL"),
       {},
       true},
      {"cache-redis-timeout", "cache", "Longest wait for that Redis in a call", Duration(c.http.shared_cache.timeout)},
      {"cache-redis-prefix", "cache", "Of all keys there", Text(c.http.shared_cache.prefix, "TEXT")},
      {"keep-loaded", "models", "Memory for versions that were replaced, so that going back takes no loading",
       Size(c.live.resident.count, 0)},
      {"isolation", "models",
       "Models that run in processes of their own: manifest (as each bundle says), process (all) or none",
       Isolation(c.isolation.which)},
      {"isolation-memory", "models", "Most memory of such a process; 0B: three quarters of what is free",
       Size(c.isolation.options.memory.count, 0)},
      {"isolation-run-time", "models", "Longest run there of a call that has no time limit of its own",
       Duration(c.isolation.options.run_time)},
      {"lazy", "models", "Load a version when it is called first, not before", Flag(c.live.lazy)},
      {"models-memory", "models", "With --lazy: for loaded versions; those least worth it leave past it; 0B: any",
       Size(c.live.loaded.count, 0)},
      {"max-cold-wait", "models", "A call waits so long for its version to be loaded (503)",
       Duration(c.http.cold.wait_most)},
      {"max-cold-queue", "models", "Most calls that wait for one version to be loaded (429)",
       Count(c.http.cold.waiting_most, 1)},
      {"max-cold-bytes", "models", "Most bytes of their bodies (429)", Size(c.http.cold.waiting_bytes)},
      {"threads", "", "Threads that serve; auto: what the cgroup allows", CountOrAuto(c.http.threads, 1024)},
      {"heavy-from", "compute", "Calls of models whose one row takes longer run on threads of their own",
       Duration(c.http.compute.heavy)},
      {"runs-at-once", "compute", "Of one such model; auto: what the cgroup allows",
       CountOrAuto(c.http.compute.runs_at_once, 1024)},
      {"max-batch-rows", "compute", "Most rows of one run that calls share while the model is busy; 1: none do",
       Count(c.http.compute.rows_together, 1)},
      {"max-queue-wait", "compute", "A call that would wait longer for such a model is refused (429)",
       Duration(c.http.compute.wait_most)},
      {"max-queue", "compute", "Most calls that wait for one such model (429)", Count(c.http.compute.waiting_most, 1)},
      {"compress", "", "Answer in gzip or zstd when the client takes it and the answer is large", Flag(c.http.compress),
       kReload},
  };
}

Options Listen(serving::ListenOptions& l) {
  return {
      {"http", "listen",
       "HOST:PORT (port 0 takes a free one), unix:PATH[,mode=0660] or systemd:[NAME]; may be repeated",
       Addresses(l.http)},
      {"admin", "listen", "Address of the admin listener; none unless given",
       Text(l.admin, "ADDRESS", CheckOptionalAddress)},
      {"grpc", "listen", "The same for gRPC (Triton, KServe, TensorFlow Serving); none unless given; may be repeated",
       MoreAddresses(l.grpc)},
      {"grpc-admin", "listen", "Address of gRPC's admin listener; none unless given",
       Text(l.grpc_admin, "ADDRESS", CheckOptionalAddress)},
      {"admin-public", "listen",
       "Let --admin and --grpc-admin be reached from other machines without client certificates", Flag(l.admin_public)},
      {"observe-on", "listen", "Where /metrics and /models are: both, or admin to take them off the other listeners",
       ObserveOn(l.observe_on)},
      {"tls-cert", "tls", "PEM file of the certificate and its chain: serves https", Text(l.tls.certificate, "FILE")},
      {"tls-key", "tls", "PEM file of its key (default: in the certificate's file)", Text(l.tls.key, "FILE")},
      {"tls-client-ca", "tls", "PEM file of the CAs that client certificates lead to", Text(l.tls.client_ca, "FILE")},
      {"tls-client-auth", "tls", "Client certificates; auto: require with --tls-client-ca, else none",
       ClientAuth(l.tls.client_auth)},
  };
}

Options Running(ServeConfig& c) {
  auto& http = c.http;
  return {
      {"drain-delay", "drain", "After SIGTERM: not ready, but still serving, for so long",
       Duration(http.drain_delay, true), kReload},
      {"drain-timeout", "drain", "Longest wait for requests in flight", Duration(http.drain_timeout, true), kReload},
      {"log-file", "log", "Log there instead of standard error; SIGHUP reopens it", Text(c.log.path, "FILE")},
      {"log-level", "log", "What is logged at least", LogLevel(c.log.level), kReload},
      {"log-requests", "log", "Request lines a second and thread; the rest is counted, errors are always logged",
       Count(http.log_lines_per_second, 0), kReload},
      {"log-field-length", "log", "Longest text of a log line's field; longer ones are cut",
       Size(c.log.field_bytes, 16, 1 << 20), kReload},
      {"cors-origin", "cors", "Web origin whose scripts may read answers (scheme://host[:port], or *); may be repeated",
       Texts(http.cors.origins, "ORIGIN", CheckOrigin), kReload},
      {"cors-credentials", "cors", "Allow those scripts to send cookies; not with *", Flag(http.cors.credentials),
       kReload},
  };
}

Options Traces(telemetry::otlp::Flags& t) {
  return {
      {"otlp-endpoint", "trace",
       "Send traces there by OTLP/HTTP, such as http://collector:4318; none: OTEL_EXPORTER_OTLP_ENDPOINT",
       Text(t.endpoint, "URL", CheckCollector)},
      {"trace-sample", "trace",
       "Share of new traces that are sent; a caller's sampled flag goes before it; none: OTEL_TRACES_SAMPLER, else "
       "0.01",
       Share(t.sample)},
  };
}

Options RequestLimits(net::HttpLimits& l, serving::DecodeLimits& d) {
  const auto option = [](const char* name, const char* help, OptionValue value, Change change = kReload) {
    return Option{name, "limits", help, std::move(value), change};
  };
  return {
      option("max-target", "Longest request target (414)", Size(l.target_bytes)),
      option("max-header", "Largest request line and headers together (431)", Size(l.head_bytes)),
      option("max-headers", "Most headers of a request (431)", Count(l.header_count, 1)),
      option("header-timeout", "From the first byte of a request to the end of its headers (408)",
             Duration(l.header_deadline)),
      option("max-body", "Largest request body handled whole (413)", Size(l.body_bytes)),
      option("max-stream", "Largest JSON lines or CSV body answered as it arrives (413)", Size(l.streamed_bytes)),
      option("max-chunks", "Most chunks of a body handled whole (413)", Count(l.chunk_count, 1)),
      option("max-decoded", "Largest body once its Content-Encoding is off; 0B: as --max-body (413)",
             Size(l.decoded_bytes, 0)),
      option("max-decoded-ratio", "Most decoded bytes for each coded one (413)", Count(l.decoded_ratio, 1)),
      option("body-timeout", "From there to the end of a body handled whole (408)", Duration(l.body_deadline)),
      option("min-body-rate", "Bytes a second that a body must arrive at; 0B: any (408)", Size(l.body_rate, 0)),
      option("body-rate-window", "Over which the rate is measured", Duration(l.body_rate_window)),
      option("max-json-depth", "Most objects and lists inside one another (413)", Count(d.json.depth, 1, 512),
             Change::kRestart),
      option("max-json-string", "Longest string or name in JSON, as written (413)", Size(d.json.string_bytes),
             Change::kRestart),
      option("max-line", "Longest line of JSON lines answered as it arrives (413)", Size(d.line_bytes, 1, INT32_MAX),
             Change::kRestart),
      option("max-csv-cell", "Longest cell of CSV (413)", Size(d.csv.cell_bytes, 1, INT32_MAX), Change::kRestart),
      option("max-csv-record", "Longest record of CSV (413)", Size(d.csv.record_bytes, 1, INT32_MAX), Change::kRestart),
      option("max-unsent", "Streamed answer kept for a client that does not read, before reading stops",
             Size(l.unsent_bytes)),
      option("write-timeout", "For a client to take more of an answer", Duration(l.write_deadline)),
  };
}

Options ConnectionLimits(net::HttpLimits& l, int& metric_series) {
  const auto option = [](const char* name, const char* help, OptionValue value, Change change = kReload) {
    return Option{name, "limits", help, std::move(value), change};
  };
  return {
      option("max-connections", "Most connections (503)", Count(l.connections, 1)),
      option("max-connections-per-address", "Most connections of an IPv4 address or IPv6 /64; 0: any (429)",
             Count(l.connections_per_address, 0)),
      option("max-handshakes", "Most TLS handshakes at a time; past it the one that has waited longest is dropped",
             Count(l.handshakes, 1)),
      option("idle-timeout", "Between requests of a connection, and to its first", Duration(l.idle_timeout)),
      option("linger", "For a client to take an early answer while it still sends", Duration(l.linger)),
      option("max-requests-per-connection", "After which a connection is closed in good order; 0: any",
             Count(l.requests_per_connection, 0)),
      option("max-requests-per-turn", "Pipelined requests of a connection answered before others have their turn",
             Count(l.requests_per_turn, 1)),
      option("max-in-flight", "Most requests waiting for bytes or for the client to read (429)",
             Count(l.requests_in_flight, 1)),
      option("max-memory-in-flight",
             "Bodies and unsent answers of all connections; 0B: a quarter of the memory there is (503)",
             Size(l.memory_in_flight, 0)),
      option("max-metric-series", "Label sets of each metric, the rest is counted as \"other\"; auto: each has its own",
             CountOrAuto(metric_series, 1 << 20), Change::kRestart),
  };
}

Options GrpcLimits(serving::HttpServiceOptions& o) {
  return {
      {"max-grpc-streams", "limits", "Most calls of a gRPC connection at a time",
       Count(o.grpc_streams_per_connection, 1)},
      {"max-grpc-resets", "limits",
       "Calls a second that a gRPC client may take back, ten seconds' worth at once, before its connection is cut; 0: "
       "any",
       Count(o.grpc_resets_per_second, 0), kReload},
      {"min-grpc-ping-interval", "limits", "Between two pings of a gRPC client; oftener, and its connection is cut",
       Duration(o.grpc_least_ping_interval)},
  };
}

Options Health(serving::HealthThresholds& h) {
  const auto option = [](const char* name, const char* help, OptionValue value) {
    return Option{name, "health", help, std::move(value), kReload};
  };
  return {
      option("health-memory-warn", "Share of the memory limit past which /health warns", Share(h.memory.warn)),
      option("health-memory-fail", "The same past which the process is not ready", Share(h.memory.fail)),
      option("health-latency-warn", "99th percentile of predictions past which /health warns",
             Seconds(h.latency_seconds.warn)),
      option("health-latency-fail", "The same past which the process is not ready", Seconds(h.latency_seconds.fail)),
      option("health-errors-warn", "Share of predictions answered 500 or above past which /health warns",
             Share(h.error_rate.warn)),
      option("health-errors-fail", "The same past which the process is not ready", Share(h.error_rate.fail)),
      option("health-overload-warn", "Share of predictions refused (429) past which /health warns",
             Share(h.overload.warn)),
      option("health-overload-fail", "The same past which the process is not ready", Share(h.overload.fail)),
      option("health-loop-warn", "99th percentile of how late the io threads run past which /health warns",
             Seconds(h.loop_lag_seconds.warn)),
      option("health-loop-fail", "The same past which the process is not ready", Seconds(h.loop_lag_seconds.fail)),
  };
}

}  // namespace

ServeConfig::ServeConfig() {
  http.program_version = kProgramVersion;
}

base::Result<void> ServeConfig::Check() const {
  SLIPWAY_TRY(http.listen.Check());
  SLIPWAY_TRY(http.cors.Check());
  SLIPWAY_TRY(CheckSharedCache(http));
  if (live.loaded.count > 0 && !live.lazy) {
    return base::Fail(base::Code::kInvalidArgument, "option.value",
                      "--models-memory has versions leave that are loaded again when they are called; add --lazy");
  }
  if (!bundles.empty() || !watch.empty()) return {};
  return base::Fail(
      base::Code::kInvalidArgument, "usage",
      "no bundle is named; add one: `slipway serve model.slipway`, `bundles: [model.slipway]` in the file "
      "of --config, SLIPWAY_SERVE_BUNDLES, or --watch with a folder of them");
}

OptionTable ServeOptions(ServeConfig& config) {
  Options all;
  for (Options& part : std::array{General(config), Listen(config.http.listen), Running(config), Traces(config.traces),
                                  RequestLimits(config.http.limits, config.http.decode),
                                  ConnectionLimits(config.http.limits, config.metric_series), GrpcLimits(config.http),
                                  Health(config.http.health)}) {
    std::ranges::move(part, std::back_inserter(all));
  }
  return {"SLIPWAY_SERVE_", std::move(all)};
}

base::Result<std::unique_ptr<ServeSettings>> ServeSettings::Load(const ServeSources& sources) {
  std::unique_ptr<ServeSettings> settings(new ServeSettings());
  ServeConfig& config = settings->config_;
  OptionTable& table = settings->table_;
  // Once to learn of the file, and again over what it says.
  SLIPWAY_TRY(table.Take(sources.environment));
  SLIPWAY_TRY(table.Take(sources.flags));
  if (!config.file.empty()) {
    SLIPWAY_ASSIGN(const auto given, ReadOptionFile(table, config.file));
    SLIPWAY_TRY(table.Take(given));
    SLIPWAY_TRY(table.Take(sources.environment));
    SLIPWAY_TRY(table.Take(sources.flags));
  }
  SLIPWAY_ASSIGN(config.http.tracing, telemetry::otlp::ReadOptions(config.traces, kProgramVersion,
                                                                   [](const char* n) { return std::getenv(n); }));
  if (auto fits = config.Check(); !fits) {
    if (fits.error().where.empty()) fits.error().where = config.file;
    return std::unexpected(std::move(fits).error());
  }
  return settings;
}

}  // namespace slipway::cli
