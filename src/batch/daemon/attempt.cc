#include "batch/daemon/attempt.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "batch/job_folder.h"

namespace slipway::batch {
namespace {

constexpr size_t kMostWords = 64 << 10;
constexpr size_t kMostMessage = 500;

std::string TailOf(int fd) {
  const off_t size = std::max<off_t>(::lseek(fd, 0, SEEK_END), 0);
  const auto length = std::min<off_t>(size, kMostWords);
  std::string text(static_cast<size_t>(length), '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), size - length);
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return text;
}

int64_t CountOf(const base::Value& summary, std::string_view key) {
  const base::Value* found = summary.Find(key);
  return found != nullptr && found->is_integer() ? found->integer() : 0;
}

Verdict TakeDone(const JobRecord& record, Run& run) {
  run.rows = CountOf(record.summary, "rows");
  run.rejected = CountOf(record.summary, "rejected");
  const base::Value* digest = record.summary.Find("digest");
  run.digest = digest != nullptr && digest->is_string() ? digest->string() : "";
  const bool nothing = run.rows > 0 && run.rejected == run.rows;
  run.message = nothing ? "all rows were rejected" : "";
  return nothing ? Verdict::kFailed : Verdict::kDone;
}

}  // namespace

base::Result<Attempt> Attempt::Start(const std::string& file, const Run& run) {
  base::FileDescriptor words(::memfd_create("words", MFD_CLOEXEC));
  base::ChildStart start;
  const std::string time = FormatUtc(run.scheduled), parent = std::to_string(::getpid());
  start.arguments = {"batch", "run", "--resume", "--date", time, "--job", run.folder, "--with-parent", parent, file};
  start.output = words.get();
  SLIPWAY_ASSIGN(auto child, base::Child::Start(start));
  if (child.process() < 0) {
    return base::Fail(base::Code::kUnavailable, "child.start",
                      "this system does not tell when a process ends (pidfd_open, Linux 5.3)");
  }
  return Attempt(std::move(child), std::move(words));
}

std::string Attempt::LastWords() const {
  const std::string text = TailOf(words_.get());
  std::string_view rest = text, last, fault;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const auto line = base::Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty()) last = line;
    if (line.starts_with("error:")) fault = base::Trim(line.substr(6));
  }
  return base::Shorten(fault.empty() ? last : fault, kMostMessage);
}

Verdict Judge(Run& run, const base::ChildEnd* end, const std::string& last_words) {
  const auto look = JobFolder::LookAt(run.folder);
  if (look && look->record.state == JobState::kDone && !look->busy) return TakeDone(look->record, run);
  if (end == nullptr) return Verdict::kTryAgain;
  const bool exited = end->how == base::ChildEnd::How::kExited;
  run.exit_code = exited ? std::optional<int64_t>(end->number) : std::nullopt;
  const std::string fault = look ? look->record.fault : "";
  run.message = exited ? (fault.empty() ? last_words : base::Shorten(fault, kMostMessage))
                       : fmt::format("ended by {}{}{}", end->Text(), last_words.empty() ? "" : ": ", last_words);
  if (run.message.empty()) run.message = end->Text();
  // 1 and 2 are the fault of what was given; of 0 without an output, nobody knows what it did.
  return !exited || end->number == 3 || end->number == 4 ? Verdict::kTryAgain : Verdict::kFailed;
}

bool IsBusy(const Run& run) {
  const auto look = JobFolder::LookAt(run.folder);
  return look && look->busy;
}

}  // namespace slipway::batch
