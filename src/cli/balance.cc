// slipway balance: writes the configuration of a balancer before several replicas.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>

#include "balancer/setup.h"
#include "base/files.h"
#include "base/quantities.h"
#include "cli/check_config.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/serve_options.h"

namespace slipway::cli {
namespace {

struct BalanceOptions {
  std::string kind, config, output = "-";
  std::string check_interval = "1s", slow_start = "10s", retry_body = "64KiB";
  balancer::Setup setup;
};

/// A value of the command line, said with its option when it is none.
template <typename Value>
base::Result<Value> Named(const char* option, base::Result<Value> value) {
  if (value) return value;
  return base::Fail(base::Code::kInvalidArgument, "usage", fmt::format("{}: {}", option, value.error().message));
}

/// What the replicas are told by their file. A delay that is too short is the operator's to mend there.
base::Result<void> TakeConfig(const std::string& file, balancer::Setup& setup, const Console& console) {
  if (file.empty()) return {};
  const options::Given given{.texts = {file}, .origin = {.kind = options::Origin::Kind::kFlag, .text = "--config"}};
  auto settings = ServeSettings::Load({.flags = {{"config", given}}, .environment = {}});
  if (!settings) return std::unexpected(std::move(settings).error());
  const serving::HttpServiceOptions& http = (*settings)->config().http;
  if (http.listen.tls.enabled()) {
    return base::Fail(
        base::Code::kInvalidArgument, "usage",
        fmt::format("{}: its replicas serve https, and the balancers' configurations reach replicas in the "
                    "clear; let the balancer serve https (--tls-cert) and the replicas a network of their own",
                    file));
  }
  setup.idle_timeout = http.limits.idle_timeout;
  setup.body_bytes = http.limits.body_bytes;
  if (http.drain_delay < setup.DrainDelay()) {
    console.Warn(
        fmt::format("{}: drain.delay is {}, and a balancer may need {} to notice that a replica goes; set it to "
                    "that or more",
                    file, base::FormatDuration(http.drain_delay), base::FormatDuration(setup.DrainDelay())));
  }
  return {};
}

base::Result<std::string> Configuration(BalanceOptions options, const Console& console) {
  balancer::Setup& setup = options.setup;
  SLIPWAY_ASSIGN(setup.check_interval, Named("--check-interval", base::ParseDuration(options.check_interval)));
  SLIPWAY_ASSIGN(setup.slow_start, Named("--slow-start", base::ParseDuration(options.slow_start)));
  SLIPWAY_ASSIGN(const auto retry_body, Named("--retry-body", base::ParseBytes(options.retry_body)));
  setup.retry_bytes = retry_body.count;
  if (setup.stats == "none") setup.stats.clear();
  SLIPWAY_TRY(setup.Check());
  SLIPWAY_TRY(TakeConfig(options.config, setup, console));
  return options.kind == "nginx" ? balancer::NginxConfiguration(setup) : balancer::HaproxyConfiguration(setup);
}

ExitCode Balance(const BalanceOptions& options, Console& console) {
  const auto text = Configuration(options, console);
  if (!text) return FailConfig(text.error(), console);
  const bool to_file = options.output != "-";
  if (to_file) {
    if (auto written = base::WriteFileAtomically(options.output, *text); !written) return console.Fail(written.error());
  }
  auto replicas = base::Value::List();
  for (const std::string& replica : options.setup.replicas) replicas.Add(replica);
  auto result = base::Value::Map().Set("balancer", options.kind).Set("replicas", std::move(replicas));
  result.Set("output", to_file ? base::Value(options.output) : base::Value());
  if (!to_file) result.Set("text", *text);
  console.Result(result);
  if (console.json()) return ExitCode::kFine;
  if (to_file) {
    console.Print(fmt::format("{} {}\n", console.Paint("wrote", Color::kGreen), options.output));
  } else {
    console.Print(*text);
  }
  return ExitCode::kFine;
}

}  // namespace

void AddBalance(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("balance", "Write the configuration of a balancer before several replicas");
  static BalanceOptions options;
  balancer::Setup& setup = options.setup;
  command->add_option("balancer", options.kind, "Which one")->required()->check(CLI::IsMember({"haproxy", "nginx"}));
  command->add_option("--replica", setup.replicas, "HOST:PORT of a replica's --http; once for each");
  command->add_option("--listen", setup.listen, "HOST:PORT or :PORT, where clients come in")->capture_default_str();
  command->add_option("--tls-cert", setup.tls_certificate, "PEM file of the certificate and its chain: serves https");
  command->add_option("--tls-key", setup.tls_key, "PEM file of its key (default: in the certificate's file)");
  command->add_option("--stats", setup.stats, "Where the balancer tells of itself, or none")->capture_default_str();
  command->add_option("--check-interval", options.check_interval, "Between two looks at a replica's /readyz (HAProxy)")
      ->capture_default_str();
  command->add_option("--slow-start", options.slow_start, "For a replica that comes to get its full share (HAProxy)")
      ->capture_default_str();
  command->add_option("--retry-body", options.retry_body, "Largest request that can be sent to another replica")
      ->capture_default_str();
  command->add_option("--config", options.config,
                      "The replicas' own configuration file, to fit timeouts and bounds to it");
  command->add_option("--output", options.output, "The file; -: standard output")->capture_default_str();
  command->footer(
      "Example:\n  slipway balance haproxy --replica 10.0.0.11:8080 --replica 10.0.0.12:8080 --output haproxy.cfg\n"
      "  slipway balance nginx --replica 10.0.0.11:8080 --replica 10.0.0.12:8080 --output slipway.conf\n\n"
      "The file is yours to read and edit: it says why each line is there. docs/operations/scaling.md tells the rest.");
  command->callback([&run] { run = [](Console& console) { return Balance(options, console); }; });
}

}  // namespace slipway::cli
