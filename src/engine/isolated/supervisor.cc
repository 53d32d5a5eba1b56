#include "engine/isolated/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <random>
#include <tuple>
#include <utility>

#include "base/machine.h"
#include "engine/child/engine_child.h"
#include "engine/isolated/lane_socket.h"

namespace slipway::engine::isolated {
namespace {

using base::Code;
using base::Fail;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kMostHello = size_t{16} << 20;
constexpr int64_t kBytesPerSecond = 32 << 20;
constexpr milliseconds kForItsEnd{1000};  ///< longest wait for how a process ended whose lanes are gone
constexpr milliseconds kLook{50};         ///< between two looks at whether to stop while a model loads

int Milliseconds(base::SteadyTime until) {
  const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

std::unexpected<base::Error> CannotStart(std::string message) {
  return Fail(Code::kUnavailable, "engine.child",
              "this model is to run in a process of its own, which cannot be started: " + std::move(message));
}

/// Appends what has come; false at the end.
bool ReadMore(int fd, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  text.append(buffer.data(), static_cast<size_t>(got));
  return got > 0;
}

}  // namespace

struct Supervisor::Started {
  base::Child child;
  base::FileDescriptor report, control;
  base::Bytes memory;
};

base::Result<std::shared_ptr<Supervisor>> Supervisor::Start(const IsolationOptions& options, SupervisedModel model,
                                                            const MakeThread& make_thread) {
  std::shared_ptr<Supervisor> supervisor(new Supervisor(options, std::move(model)));
  if (!supervisor->wake_.ok()) return CannotStart("no descriptor is left");
  supervisor->thread_ = make_thread([raw = supervisor.get()](const std::stop_token& stop) { raw->Supervise(stop); });
  std::unique_lock lock(supervisor->mutex_);
  supervisor->changed_.wait(lock, [&] { return supervisor->first_.has_value(); });
  SLIPWAY_TRY(*supervisor->first_);
  return supervisor;
}

Supervisor::Supervisor(const IsolationOptions& options, SupervisedModel model)
    : options_(options), model_(std::move(model)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Supervisor::~Supervisor() {
  thread_.request_stop();
  Wake();
  if (thread_.joinable()) thread_.join();
}

void Supervisor::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

ProcessReading Supervisor::Read() const {
  const std::lock_guard lock(mutex_);
  ProcessReading reading = reading_;
  if (reading.up) reading.memory = base::ResidentMemoryOf(reading.pid);
  if (!reading.up) reading.next_start = std::max(next_start_ - steady_clock::now(), std::chrono::nanoseconds(0));
  return reading;
}

base::Error Supervisor::Gone() const {
  return {Code::kUnavailable,
          "engine.crashed",
          fmt::format("the process that runs this model ended: {}; it is started again",
                      reading_.last_end.empty() ? "it is not known why" : reading_.last_end),
          {}};
}

base::Result<Way> Supervisor::Open() {
  SLIPWAY_ASSIGN(auto ends, SocketPair());
  const char lane = 'l';
  int64_t process = 0;
  bool sent = false;
  {
    const std::lock_guard lock(mutex_);
    process = up();
    if (process == 0) return std::unexpected(Gone());
    sent = SendMessage(control_.get(), &lane, sizeof(lane), ends.second.get());
  }
  if (!sent) return std::unexpected(WhyGone(process));
  const int64_t most = options_.memory.count > 0 ? options_.memory.count : base::TotalMemory().count;
  SLIPWAY_ASSIGN(auto made, Lane::Create(std::move(ends.first), static_cast<size_t>(most > 0 ? most : INT64_MAX / 2)));
  return Way{process, std::move(made)};
}

base::Error Supervisor::WhyGone(int64_t process) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kForItsEnd, [&] { return ended_ >= process; });
  return Gone();
}

void Supervisor::Condemn(int64_t process, std::string reason, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    if (up() != process || condemned_) return;
    condemned_.emplace(std::move(reason), std::move(text));
  }
  Wake();
}

void Supervisor::Watch(const Way& way, base::SteadyTime deadline) {
  {
    const std::lock_guard lock(mutex_);
    const uint64_t sequence = way.lane->sequence();
    const bool known = std::ranges::any_of(
        overdue_, [&](const Overdue& other) { return other.lane == way.lane && other.sequence == sequence; });
    if (up() != way.process || known) return;
    overdue_.push_back({way.lane, sequence, deadline + options_.patience});
  }
  Wake();
}

void Supervisor::Supervise(const std::stop_token& stop) {
  RestartSchedule schedule(options_.restarts);
  std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> share(0, 1);
  while (!stop.stop_requested()) {
    Ending ending = RunProcess(stop);
    if (stop.stop_requested()) break;
    if (!info_)
      return Settle(std::unexpected(ending.refusal.value_or(base::Error{
          Code::kInvalidArgument,
          "engine.model",
          fmt::format("this model could not be loaded in the process of its own that it is to run in: {}", ending.text),
          {}})));
    const auto pause = schedule.Next(ending.up, share(random));
    Note(ending, pause);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, pause, [] { return false; });
  }
}

void Supervisor::Settle(base::Result<void> first) {
  const std::lock_guard lock(mutex_);
  if (!first_) first_ = std::move(first);
  changed_.notify_all();
}

/// Keeps what became of a process, and tells it.
void Supervisor::Note(const Ending& ending, std::chrono::nanoseconds pause) {
  {
    const std::lock_guard lock(mutex_);
    ++reading_.restarts[ending.reason];
    reading_.last_reason = ending.reason;
    reading_.last_end = ending.text;
    reading_.ended_at = base::Clock::System().WallNow();
    next_start_ = steady_clock::now() + pause;
    ended_ = processes_;
    changed_.notify_all();
  }
  if (!options_.on_end) return;
  options_.on_end({model_.name, model_.version, ending.pid, ending.reason, ending.text, ending.up, pause});
}

base::Result<Supervisor::Started> Supervisor::StartProcess() const {
  SLIPWAY_ASSIGN(auto control, SocketPair());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return CannotStart("no descriptor is left");
  base::FileDescriptor report(ends[0]);
  const base::FileDescriptor write_end(ends[1]);
  const base::Bytes memory = options_.memory.count > 0 ? options_.memory : ChildMemory();
  auto child = base::Child::Start({options_.program,
                                   ChildWords(kIsolatedCommand, memory, kNoTimeLimit),
                                   {write_end.get(), model_.parcel.file.get(), control.second.get()},
                                   WithheldFromChildren()});
  if (!child) return CannotStart(child.error().message);
  return Started{*std::move(child), std::move(report), std::move(control.first), memory};
}

Supervisor::Ending Supervisor::RunProcess(const std::stop_token& stop) {
  Ending ending{.reason = "start"};
  auto started = StartProcess();
  if (!started) {
    ending.text = started.error().message;
    ending.refusal = std::move(started).error();
    return ending;
  }
  ending.pid = started->child.pid();
  if (TakeHello(AwaitHello(*started, stop), ending)) {
    const auto begun = steady_clock::now();
    BringUp(*started);
    WatchProcess(started->child, stop, ending);
    ending.up = std::max(steady_clock::now() - begun, std::chrono::nanoseconds(1));
    TakeDown();
  }
  started->child.Kill();
  const base::ChildEnd end = started->child.Reap();
  if (ending.text.empty()) Judge(end, started->memory, ending);
  return ending;
}

base::Result<Hello> Supervisor::AwaitHello(const Started& started, const std::stop_token& stop) const {
  const auto time = options_.load_time.value_or(seconds(60 + model_.parcel.bytes / kBytesPerSecond));
  const auto until = steady_clock::now() + time;
  std::string line;
  while (line.find('\n') == std::string::npos) {
    if (line.size() > kMostHello) return Fail(Code::kDataLoss, "protocol", "it told of its model without end");
    if (stop.stop_requested() || steady_clock::now() >= until) {
      return Fail(Code::kDeadlineExceeded, "hang",
                  fmt::format("it did not finish in {}; SLIPWAY_TRIAL_TIME=10m gives models longer",
                              base::FormatDuration(time)));
    }
    pollfd wait{started.report.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, std::min(Milliseconds(until), static_cast<int>(kLook.count())));
    if (ready > 0 && !ReadMore(started.report.get(), line)) return Fail(Code::kUnavailable, "start", "");
  }
  auto hello = ReadHello(line);
  if (!hello) return Fail(Code::kDataLoss, "protocol", hello.error().message);
  return hello;
}

/// True when the model is loaded. Else `ending` says why not, without a text when the process's own end will tell.
bool Supervisor::TakeHello(base::Result<Hello> hello, Ending& ending) {
  if (!hello) {
    ending.reason = hello.error().reason;
    ending.text = hello.error().message;
    return false;
  }
  if (!hello->loaded) {
    ending.text = "it could not be loaded: " + hello->loaded.error().Text();
    ending.refusal = std::move(hello->loaded).error();
    return false;
  }
  if (info_ && !IsSameModel(*info_, *hello->loaded)) {
    ending.text = "it was loaded as another model than before";
    return false;
  }
  if (!info_) info_ = *std::move(hello->loaded);
  return true;
}

void Supervisor::BringUp(Started& started) {
  {
    const std::lock_guard lock(mutex_);
    control_ = std::move(started.control);
    started.report = base::FileDescriptor();
    reading_.up = true;
    reading_.pid = started.child.pid();
    up_.store(++processes_, std::memory_order_release);
  }
  Settle({});
}

void Supervisor::TakeDown() {
  const std::lock_guard lock(mutex_);
  up_.store(0, std::memory_order_release);
  control_ = base::FileDescriptor();
  condemned_.reset();
  overdue_.clear();
  reading_.up = false;
  reading_.pid = 0;
}

/// Until it ends, or must be ended: `ending` then says why, unless its own end will tell.
void Supervisor::WatchProcess(const base::Child& child, const std::stop_token& stop, Ending& ending) {
  while (!stop.stop_requested()) {
    const auto next = NextLook(ending);
    if (!ending.text.empty()) return;
    pollfd waits[] = {{child.process(), POLLIN, 0}, {control_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    ::poll(waits, 3, next ? Milliseconds(*next) : -1);
    if (waits[0].revents != 0) return;
    if (waits[1].revents != 0) {
      char byte = 0;
      if (ReceiveMessage(control_.get(), &byte, sizeof(byte)).what == Received::What::kMessage) {
        ending.reason = "protocol";
        ending.text = "it spoke without being asked";
      } else if (child.process() >= 0) {
        ::poll(waits, 1, static_cast<int>(kForItsEnd.count()));  // it has let go, and must be about to end
      }
      return;
    }
    uint64_t nudges = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &nudges, sizeof(nudges));
  }
}

/// When to look again at runs that are past their deadlines, if there are any.
std::optional<base::SteadyTime> Supervisor::NextLook(Ending& ending) {
  const std::lock_guard lock(mutex_);
  if (condemned_) std::tie(ending.reason, ending.text) = *condemned_;
  std::erase_if(overdue_, [](const Overdue& run) { return run.lane->Answered(run.sequence); });
  if (overdue_.empty()) return std::nullopt;
  const auto next = std::ranges::min(overdue_, {}, &Overdue::until).until;
  if (next <= steady_clock::now() && ending.text.empty()) {
    ending.reason = "hang";
    ending.text = fmt::format("it was killed because a run went on for more than {} past its deadline",
                              base::FormatDuration(options_.patience));
  }
  return next;
}

void Supervisor::Judge(const base::ChildEnd& end, base::Bytes memory, Ending& ending) const {
  const bool signalled = end.how == base::ChildEnd::How::kSignalled;
  if (!signalled && end.number == kChildOutOfMemory) {
    ending.reason = "memory";
    ending.text =
        fmt::format("it needed more memory than it may have ({}, --isolation-memory)", base::FormatBytes(memory));
  } else if (signalled && end.number == SIGKILL) {
    ending.reason = "signal";
    ending.text = "it was killed with SIGKILL, as the system does when memory runs out";
  } else {
    ending.reason = signalled ? "signal" : "exit";
    ending.text = signalled ? "it crashed with " + end.Text() : "it ended with " + end.Text();
  }
}

}  // namespace slipway::engine::isolated
