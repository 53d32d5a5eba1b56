#include "cli/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace slipway::cli {
namespace {

bool ColorsWanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(no_color && *no_color) && !(term && std::string_view(term) == "dumb");
}

std::string Painted(std::string_view text, Color color) {
  const char* code = "0";
  switch (color) {
    case Color::kRed:
      code = "31";
      break;
    case Color::kGreen:
      code = "32";
      break;
    case Color::kYellow:
      code = "33";
      break;
    case Color::kCyan:
      code = "36";
      break;
    case Color::kBold:
      code = "1";
      break;
    case Color::kDim:
      code = "2";
      break;
  }
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

void Write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace

Console::Console()
    : out_terminal_(isatty(STDOUT_FILENO) == 1), error_terminal_(isatty(STDERR_FILENO) == 1), colors_(ColorsWanted()) {}

void Console::Print(std::string_view text) const {
  Write(stdout, text);
  std::fflush(stdout);
}

void Console::Note(std::string_view text) const {
  if (!json_) Write(stderr, fmt::format("{}\n", text));
}

void Console::Warn(std::string_view text) const {
  if (!json_) Write(stderr, fmt::format("{} {}\n", PaintError("warning:", Color::kYellow), text));
}

void Console::Result(const base::Value& value) const {
  if (json_) Print(base::ToJson(value, {.indent = 2, .trailing_newline = true}));
}

ExitCode Console::Fail(const base::Error& error) const {
  if (error.reason == "tables.reader_gone") return ExitCodeOf(error);  // `| head` has seen enough: nothing went wrong
  if (json_) {
    auto body = base::Value::Map();
    body.Set("code", base::CodeName(error.code)).Set("reason", error.reason).Set("message", error.message);
    if (!error.where.empty()) body.Set("where", error.where);
    Result(base::Value::Map().Set("error", body));
  } else {
    Write(stderr, fmt::format("{} {}{}\n", PaintError("error:", Color::kRed), error.Text(),
                              PaintError(fmt::format("  [{}]", error.reason), Color::kDim)));
  }
  return ExitCodeOf(error);
}

std::string Console::Paint(std::string_view text, Color color) const {
  return colors_ && out_terminal_ ? Painted(text, color) : std::string(text);
}

std::string Console::PaintError(std::string_view text, Color color) const {
  return colors_ && error_terminal_ ? Painted(text, color) : std::string(text);
}

ExitCode ExitCodeOf(const base::Error& error) {
  if (error.reason == "usage" || error.reason == "net.address") return ExitCode::kUsage;
  switch (error.code) {
    case base::Code::kResourceExhausted:  // a bound on what comes from outside, unless the machine itself ran short
      return error.reason == "memory.exhausted" ? ExitCode::kEnvironment : ExitCode::kData;
    case base::Code::kUnavailable:
    case base::Code::kPermissionDenied:
    case base::Code::kInternal:
      return ExitCode::kEnvironment;
    default:
      return ExitCode::kData;
  }
}

Progress::Progress(const Console& console, std::string label, std::optional<int64_t> total)
    : enabled_(console.stderr_is_terminal() && !console.json()),
      label_(std::move(label)),
      total_(total),
      started_(std::chrono::steady_clock::now()),
      last_(started_) {}

Progress::~Progress() {
  Done();
}

void Progress::Update(int64_t done, std::string_view detail) {
  using std::chrono::milliseconds;
  if (!enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!first_) first_.emplace(now, done);
  if (now - started_ < milliseconds(1000) || now - last_ < milliseconds(100)) return;
  last_ = now;
  shown_ = true;
  std::string line;
  if (total_ && *total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total_));
    const int width = 30, full = static_cast<int>(share * width);
    std::string bar;
    for (int i = 0; i < width; ++i) bar += i < full ? "█" : "░";
    line = fmt::format("{} {} {:3.0f} %{}  {}", label_, bar, share * 100, Left(done, now), detail);
  } else {
    line = fmt::format("{}  {}", label_, detail);
  }
  Write(stderr, "\r\033[K" + line);
  std::fflush(stderr);
}

std::string Progress::Left(int64_t done, std::chrono::steady_clock::time_point now) const {
  const int64_t since = done - first_->second;
  if (since <= 0) return {};
  const double elapsed = std::chrono::duration<double>(now - first_->first).count();
  const double left = elapsed * static_cast<double>(std::max<int64_t>(*total_ - done, 0)) / static_cast<double>(since);
  constexpr double kMinute = 60, kHour = 3600;
  if (left < 2 * kMinute) return fmt::format("  {:.0f} s left", left);
  if (left < 2 * kHour) return fmt::format("  {:.0f} min left", left / kMinute);
  return fmt::format("  {:.1f} h left", left / kHour);
}

void Progress::Done() {
  if (shown_) Write(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace slipway::cli
