#include "batch/job_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "data/timestamp.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;
using base::Value;

constexpr std::string_view kRecordFile = "job.json";
constexpr std::string_view kListFile = "parts.jsonl";
constexpr std::string_view kTallyFile = "tallies.txt";
constexpr std::string_view kLockFile = "lock";
constexpr int64_t kFormat = 1;
constexpr std::array<std::string_view, 4> kStates = {"running", "stopped", "failed", "done"};

std::unexpected<base::Error> Damaged(const fs::path& path, std::string_view what) {
  return base::Fail(base::Code::kDataLoss, "batch.damaged",
                    fmt::format("the record of this job is damaged: {}; remove the folder and run the job again", what),
                    path.string());
}

std::unexpected<base::Error> WriteFault(const fs::path& path, int error) {
  return base::Fail(base::Code::kUnavailable, "file.write",
                    fmt::format("cannot be written: {}{}", std::strerror(error), error == ENOSPC ? "; make room" : ""),
                    path.string());
}

Value ToValue(const JobRecord& record) {
  auto bundle = Value::Map();
  bundle.Set("name", record.maker.name).Set("version", record.maker.version).Set("digest", record.maker.digest);
  auto value = Value::Map();
  value.Set("format", kFormat)
      .Set("id", record.id)
      .Set("state", StateName(record.state))
      .Set("job", batch::ToValue(record.job));
  value.Set("bundle", std::move(bundle)).Set("program", record.maker.program);
  value.Set("started", record.started).Set("ended", record.ended).Set("fault", record.fault);
  value.Set("summary", record.summary).Set("input", batch::ToValue(record.files));
  return value;
}

std::string TextOf(const Value& value, std::string_view key) {
  const Value* found = value.Find(key);
  return found != nullptr && found->is_string() ? found->string() : "";
}

base::Result<JobRecord> RecordOf(const Value& value, const fs::path& path) {
  const Value* format = value.Find("format");
  const Value* job = value.Find("job");
  const Value* bundle = value.Find("bundle");
  const Value* input = value.Find("input");
  if (!format || !job || !bundle || !input) return Damaged(path, "a member of job.json is missing");
  if (*format != Value(kFormat)) return Damaged(path, "it has the format of another release");
  JobRecord record;
  SLIPWAY_ASSIGN(record.job, FromValue(*job));
  SLIPWAY_ASSIGN(record.files, InputFilesOf(*input));
  record.maker = {.name = TextOf(*bundle, "name"),
                  .version = TextOf(*bundle, "version"),
                  .digest = TextOf(*bundle, "digest"),
                  .program = TextOf(value, "program")};
  record.id = TextOf(value, "id");
  record.started = TextOf(value, "started");
  record.ended = TextOf(value, "ended");
  record.fault = TextOf(value, "fault");
  if (const Value* summary = value.Find("summary")) record.summary = *summary;
  const auto* state = std::ranges::find(kStates, TextOf(value, "state"));
  if (state == kStates.end()) return Damaged(path, "its state is none that is known");
  record.state = static_cast<JobState>(state - kStates.begin());
  return record;
}

base::Result<JobRecord> ReadRecord(const fs::path& path) {
  auto text = base::ReadFile(path / kRecordFile);
  if (!text && text.error().code == base::Code::kNotFound) {
    return base::Fail(
        base::Code::kNotFound, "batch.no_job",
        "there is no job here; name the folder that `slipway batch run` made (beside the output, its name "
        "ends in .job)",
        path.string());
  }
  if (!text) return std::unexpected(text.error());
  const auto value = base::ParseJson(*text);
  if (!value) return Damaged(path, value.error().message);
  return RecordOf(*value, path);
}

/// The finished parts. A last line that is not whole was being written when the machine went down.
base::Result<std::vector<PartRecord>> ReadParts(const fs::path& path) {
  auto text = base::ReadFile(path / kListFile);
  if (!text && text.error().code == base::Code::kNotFound) return std::vector<PartRecord>();
  if (!text) return std::unexpected(text.error());
  std::vector<PartRecord> parts;
  std::string_view rest = *text;
  for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    auto part = ParsePart(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (!part && rest.find('\n') == std::string_view::npos) break;
    if (!part) return Damaged(path, fmt::format("line {} of parts.jsonl: {}", parts.size() + 1, part.error().message));
    parts.push_back(*std::move(part));
  }
  return parts;
}

bool IsBusy(const fs::path& path) {
  const base::FileDescriptor lock(::open((path / kLockFile).c_str(), O_RDWR | O_CLOEXEC));
  return lock.ok() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

std::string_view StateName(JobState state) {
  return kStates[static_cast<size_t>(state)];
}

std::string Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::string text;
  data::AppendTimestamp(text, std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  return text;
}

base::Result<void> JobFolder::Lock() {
  const fs::path path = path_ / kLockFile;
  lock_ = base::FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock_.ok()) return WriteFault(path, errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  return base::Fail(base::Code::kUnavailable, "batch.busy",
                    "another process works on this job; wait for it, or stop it first", path_.string());
}

base::Result<void> JobFolder::OpenList() {
  const fs::path path = path_ / kListFile;
  list_ = base::FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0666));
  if (!list_.ok()) return WriteFault(path, errno);
  return {};
}

base::Result<JobFolder> JobFolder::Create(JobRecord record) {
  JobFolder folder;
  folder.path_ = record.job.folder;
  std::error_code failed;
  if (fs::exists(folder.path_, failed) && !fs::is_empty(folder.path_, failed)) {
    if (!fs::exists(folder.path_ / kRecordFile, failed) && !fs::exists(folder.path_ / kLockFile, failed)) {
      return base::Fail(base::Code::kFailedPrecondition, "batch.not_a_job",
                        "the folder for the job has other things in it; name another one with --job",
                        folder.path_.string());
    }
    SLIPWAY_TRY(folder.Lock());
    const auto earlier = ReadRecord(folder.path_);
    if (earlier && earlier->state != JobState::kDone) {
      return base::Fail(base::Code::kFailedPrecondition, "batch.unfinished",
                        fmt::format("an unfinished job of this output is kept here: go on with it by `slipway batch "
                                    "resume {0}`, or remove the folder to begin anew",
                                    folder.path_.string()),
                        folder.path_.string());
    }
  }
  fs::create_directories(folder.path_, failed);
  if (failed) return WriteFault(folder.path_, failed.value());
  if (!folder.lock_.ok()) SLIPWAY_TRY(folder.Lock());
  folder.RemoveParts();
  fs::remove(folder.path_ / kListFile, failed);
  fs::remove(folder.path_ / kTallyFile, failed);
  fs::create_directories(folder.parts_folder(), failed);
  if (!failed) fs::create_directories(folder.rejects_folder(), failed);
  if (failed) return WriteFault(folder.path_, failed.value());
  folder.record_ = std::move(record);
  folder.record_.id = fmt::format("{:016x}{:016x}", base::RandomBits(), base::RandomBits());
  SLIPWAY_TRY(folder.OpenList());
  SLIPWAY_TRY(folder.Save());
  SLIPWAY_TRY(base::SyncFolder(folder.path_.parent_path()));
  return folder;
}

base::Result<JobFolder> JobFolder::Open(const fs::path& path) {
  JobFolder folder;
  folder.path_ = path;
  SLIPWAY_ASSIGN(folder.record_, ReadRecord(path));
  SLIPWAY_TRY(folder.Lock());
  SLIPWAY_ASSIGN(folder.record_, ReadRecord(path));  // as the last owner of the lock left it
  SLIPWAY_ASSIGN(folder.parts_, ReadParts(path));
  SLIPWAY_TRY(folder.OpenList());
  SLIPWAY_TRY(folder.Truncate(folder.parts_.size()));
  return folder;
}

base::Result<JobFolder::Look> JobFolder::LookAt(const fs::path& path) {
  Look look;
  SLIPWAY_ASSIGN(look.record, ReadRecord(path));
  SLIPWAY_ASSIGN(look.parts, ReadParts(path));
  look.busy = IsBusy(path);
  return look;
}

base::Result<void> JobFolder::Append(PartRecord part) {
  const std::string line = ToLine(part);
  if (const int error = base::WriteAll(list_.get(), line)) return WriteFault(path_ / kListFile, error);
  if (::fdatasync(list_.get()) != 0) return WriteFault(path_ / kListFile, errno);
  parts_.push_back(std::move(part));
  return {};
}

void JobFolder::AppendTally(int64_t part, std::string_view tally) const {
  std::ofstream file(path_ / kTallyFile, std::ios::app);
  file << part << ' ' << tally << '\n';
}

std::vector<std::string> JobFolder::Tallies() const {
  std::map<int64_t, std::string> found;
  std::ifstream file(path_ / kTallyFile);
  for (std::string line; std::getline(file, line);) {
    const size_t space = line.find(' ');
    const auto part = base::ParseInt64(std::string_view(line).substr(0, space));
    if (part && space != std::string::npos) found[*part] = line.substr(space + 1);
  }
  std::vector<std::string> tallies;
  for (const auto& part : parts_) {
    if (const auto tally = found.find(part.number); tally != found.end()) tallies.push_back(std::move(tally->second));
  }
  return tallies;
}

base::Result<void> JobFolder::Truncate(size_t parts) {
  parts_.resize(parts);
  int64_t bytes = 0;
  for (const auto& part : parts_) bytes += static_cast<int64_t>(ToLine(part).size());
  if (::ftruncate(list_.get(), bytes) != 0) return WriteFault(path_ / kListFile, errno);
  if (::fdatasync(list_.get()) != 0) return WriteFault(path_ / kListFile, errno);
  return {};
}

base::Result<void> JobFolder::Save() const {
  SLIPWAY_TRY(base::WriteFileAtomically(path_ / kRecordFile,
                                        base::ToJson(ToValue(record_), {.indent = 2, .trailing_newline = true})));
  return base::SyncFolder(path_);
}

void JobFolder::RemoveParts() const {
  std::error_code ignored;
  fs::remove_all(parts_folder(), ignored);
  fs::remove_all(rejects_folder(), ignored);
  fs::remove_all(input_folder(), ignored);
  RemoveCopies();
}

void JobFolder::RemoveCopies() const {
  std::error_code ignored;
  fs::remove_all(copies_folder(), ignored);
}

void JobFolder::Discard() const {
  RemoveParts();
  std::error_code ignored;
  for (const auto name : {kListFile, kTallyFile, kRecordFile, kLockFile}) fs::remove(path_ / name, ignored);
  fs::remove(path_, ignored);
}

}  // namespace slipway::batch
