#include "cli/check_config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/value.h"
#include "cli/engines.h"
#include "live/bundle_folder.h"
#include "live/live_set.h"
#include "net/tls/credentials.h"
#include "rpc/transport_module.h"

namespace slipway::cli {
namespace {

using base::Value;

/// The file itself, or the folder that it would be made in. Nothing is created.
base::Result<void> CheckLogFile(const std::string& path) {
  if (path.empty()) return {};
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored);
  const auto folder = std::filesystem::path(path).parent_path();
  const std::string target = exists ? path : folder.empty() ? "." : folder.string();
  if (::access(target.c_str(), W_OK) == 0 && !std::filesystem::is_directory(path, ignored)) return {};
  return base::Fail(
      base::Code::kUnavailable, "log.open",
      fmt::format("log-file: {} cannot be written to; name another, or change who may write there", path));
}

/// The bundles that `serve` would take from the watched folder at its start.
base::Result<std::vector<live::DesiredBundle>> WatchedBundles(const std::string& folder) {
  if (folder.empty()) return {};
  SLIPWAY_ASSIGN(auto watched, live::BundleFolder::Open(folder));
  return watched.Read();
}

std::vector<base::Error> Problems(const ServeConfig& config, live::LiveSet& live) {
  std::vector<base::Error> problems;
  const auto add = [&](const base::Result<void>& done, const std::string& where) {
    if (done) return;
    problems.push_back(done.error());
    if (problems.back().where.empty()) problems.back().where = where;
  };
  add(CheckLogFile(config.log.path), {});
  if (config.http.listen.tls.enabled()) {
    const auto loaded = net::tls::Credentials::Load({.options = config.http.listen.tls, .check_interval = {}});
    add(loaded ? base::Result<void>() : std::unexpected(loaded.error()), config.http.listen.tls.certificate);
  }
  if (const auto& listen = config.http.listen; !listen.grpc.empty() || !listen.grpc_admin.empty()) {
    add(rpc::CheckTransportModule(), {});
  }
  for (const std::string& bundle : config.bundles) add(live.Load(bundle), bundle);
  const auto watched = WatchedBundles(config.watch);
  if (!watched) add(std::unexpected(watched.error()), config.watch);
  for (const live::DesiredBundle& bundle : watched.value_or(std::vector<live::DesiredBundle>())) {
    add(live.Load(bundle.path), bundle.path.string());
  }
  return problems;
}

std::string AsText(const options::OptionTable& table) {
  size_t keys = 0, values = 0;
  for (const auto& option : table.options()) {
    keys = std::max(keys, option.Key().size());
    values = std::max(values, std::min<size_t>(table.Shown(option).size(), 40));
  }
  std::string text;
  for (const auto& option : table.options()) {
    text += fmt::format("{:<{}}  {:<{}}  {}\n", option.Key(), keys, table.Shown(option), values,
                        table.OriginOf(option).text);
  }
  return text;
}

Value AsValue(const options::OptionTable& table) {
  Value all = Value::List();
  for (const auto& option : table.options()) {
    Value entry = Value::Map().Set("name", option.name);
    entry.Set("flag", option.positional ? Value() : Value(option.Flag()));
    entry.Set("key", option.in_file ? Value(option.Key()) : Value());
    entry.Set("variable", option.Variable(table.variable_prefix()));
    entry.Set("value", table.Shown(option)).Set("default", table.ShownDefault(option));
    entry.Set("origin", table.OriginOf(option).text);
    entry.Set("reload", option.change == options::Change::kReload);
    all.Add(std::move(entry));
  }
  return all;
}

Value AsValue(const std::vector<base::Error>& problems) {
  Value all = Value::List();
  for (const base::Error& problem : problems) {
    all.Add(Value::Map()
                .Set("reason", problem.reason)
                .Set("message", problem.message)
                .Set("where", problem.where)
                .Set("code", base::CodeName(problem.code)));
  }
  return all;
}

}  // namespace

ExitCode FailConfig(const base::Error& error, const Console& console) {
  const ExitCode code = console.Fail(error);
  return code == ExitCode::kEnvironment ? code : ExitCode::kUsage;
}

ExitCode CheckConfig(const ServeSources& sources, const Console& console) {
  const auto settings = ServeSettings::Load(sources);
  if (!settings) return FailConfig(settings.error(), console);
  const auto& table = (*settings)->table();
  live::LiveSet live(Engines());
  if (!console.json()) console.Print(AsText(table));
  const auto problems = Problems((*settings)->config(), live);
  if (console.json()) {
    console.Result(
        Value::Map().Set("fine", problems.empty()).Set("problems", AsValue(problems)).Set("options", AsValue(table)));
  } else {
    for (const base::Error& problem : problems) console.Fail(problem);
    if (problems.empty()) console.Print("configuration is fine\n");
  }
  return problems.empty() ? ExitCode::kFine : ExitCodeOf(problems.front());
}

}  // namespace slipway::cli
