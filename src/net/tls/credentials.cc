#include "net/tls/credentials.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace slipway::net::tls {
namespace {

using telemetry::LogLevel;

/// What tells one state of a file from another without reading it. A link is followed, so a swapped one shows.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  int64_t modified = 0;

  static FileStamp Of(const std::string& path) {
    struct stat status{};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size,
            status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
  }
  bool operator==(const FileStamp&) const = default;
};

using FileStamps = std::array<FileStamp, 3>;

FileStamps StampsOf(const Options& options) {
  return {FileStamp::Of(options.certificate), FileStamp::Of(options.key), FileStamp::Of(options.client_ca)};
}

std::string DateText(base::WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

double Seconds(base::WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

struct Credentials::State {
  CredentialsOptions options;
  TicketKeys tickets;
  telemetry::Counter reloads, failed_reloads;
  telemetry::Gauge not_after, outdated;

  std::mutex reloading;  ///< one Reload() at a time; guards loaded and seen
  FileStamps loaded, seen;

  mutable std::mutex mutex;  ///< guards current
  std::shared_ptr<const Context> current;

  std::mutex sleep;
  std::condition_variable_any wake;
  std::jthread watch;

  telemetry::Log& log() const { return options.log == nullptr ? telemetry::Log::Discard() : *options.log; }
  void RegisterMetrics();
  void WarnOfOpenKey() const;
  void WarnOfDates(const Context& context) const;
  void Use(std::shared_ptr<const Context> context);
  base::Result<void> Reload();
  bool HasSettledChange();
  void Watch(const std::stop_token& stop);
};

void Credentials::State::RegisterMetrics() {
  if (options.metrics == nullptr) return;
  const auto family = options.metrics->AddCounter(
      {"slipway_tls_reloads_total", "Certificates read again, by what came of it.", {"result"}});
  reloads = family.With({"used"});
  failed_reloads = family.With({"failed"});
  not_after = options.metrics
                  ->AddGauge({"slipway_tls_certificate_not_after_seconds",
                              "When the certificate in use expires, in seconds since the epoch.",
                              {}})
                  .With({});
  outdated = options.metrics
                 ->AddGauge({"slipway_tls_certificate_outdated",
                             "1 while the certificate in use is older than files that cannot be used.",
                             {}})
                 .With({});
}

void Credentials::State::WarnOfOpenKey() const {
  const std::string& path = options.options.key.empty() ? options.options.certificate : options.options.key;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IRWXO | S_IWGRP)) == 0) return;
  log()
      .Line(LogLevel::kWarning, "tls.key_is_open")
      .Add("file", path)
      .Add("mode", fmt::format("{:04o}", status.st_mode & 07777))
      .Add("message", "others can read or change the private key; chmod 600 it");
}

void Credentials::State::WarnOfDates(const Context& context) const {
  const auto now = base::Clock::System().WallNow();
  if (now >= context.not_before() && now < context.not_after()) return;
  log()
      .Line(LogLevel::kWarning,
            now < context.not_before() ? "tls.certificate_not_yet_valid" : "tls.certificate_expired")
      .Add("file", options.options.certificate)
      .Add("not_before", DateText(context.not_before()))
      .Add("not_after", DateText(context.not_after()))
      .Add("message", "clients that verify certificates will refuse to connect");
}

void Credentials::State::Use(std::shared_ptr<const Context> context) {
  not_after.Set(Seconds(context->not_after()));
  outdated.Set(0);
  log()
      .Line(LogLevel::kInfo, "tls.certificate")
      .Add("file", options.options.certificate)
      .Add("subject", context->subject())
      .Add("not_after", DateText(context->not_after()))
      .Add("sha256", context->fingerprint());
  WarnOfOpenKey();
  WarnOfDates(*context);
  const std::lock_guard lock(mutex);
  current.swap(context);
}

base::Result<void> Credentials::State::Reload() {
  const std::lock_guard lock(reloading);
  // Stamps first: a change while the files are read is seen as one more.
  loaded = seen = StampsOf(options.options);
  auto fresh = Context::Load(options.options, tickets);
  if (fresh && (*fresh)->not_after() <= base::Clock::System().WallNow()) {
    fresh = base::Fail(base::Code::kInvalidArgument, "tls.certificate_expired",
                       fmt::format("the new certificate has expired, on {}", DateText((*fresh)->not_after())),
                       options.options.certificate);
  }
  if (!fresh) {
    failed_reloads.Add();
    outdated.Set(1);
    log().Line(LogLevel::kError, "tls.reload_failed").Add(fresh.error()).Add("kept", "the certificate in use");
    return std::unexpected(std::move(fresh).error());
  }
  reloads.Add();
  Use(std::move(*fresh));
  return {};
}

bool Credentials::State::HasSettledChange() {
  const FileStamps now = StampsOf(options.options);
  const std::lock_guard lock(reloading);
  const bool settled = now == seen;
  seen = now;
  return settled && now != loaded;
}

void Credentials::State::Watch(const std::stop_token& stop) {
  std::unique_lock lock(sleep);
  while (!wake.wait_for(lock, stop, options.check_interval, [&] { return stop.stop_requested(); })) {
    if (!HasSettledChange()) continue;
    const auto reloaded = Reload();  // has told the log
    static_cast<void>(reloaded);
  }
}

Credentials::Credentials(std::unique_ptr<State> state) : state_(std::move(state)) {}
Credentials::~Credentials() = default;

base::Result<std::unique_ptr<Credentials>> Credentials::Load(CredentialsOptions options) {
  SLIPWAY_TRY(options.options.Check());
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  state->loaded = state->seen = StampsOf(state->options.options);
  SLIPWAY_ASSIGN(auto context, Context::Load(state->options.options, state->tickets));
  state->RegisterMetrics();
  state->Use(std::move(context));
  if (state->options.check_interval.count() > 0) {
    state->watch = std::jthread([owner = state.get()](const std::stop_token& stop) { owner->Watch(stop); });
  }
  return std::unique_ptr<Credentials>(new Credentials(std::move(state)));
}

std::shared_ptr<const Context> Credentials::Current() const {
  const std::lock_guard lock(state_->mutex);
  return state_->current;
}

base::Result<void> Credentials::Reload() {
  return state_->Reload();
}

}  // namespace slipway::net::tls
