#include "batch/schedule/periodic.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/quantities.h"
#include "base/text.h"
#include "bundle/manifest.h"
#include "bundle/manifest/section_reader.h"

namespace slipway::batch {
namespace {

using base::Value;
using std::chrono::seconds;

/// One that is fit for labels of metrics, names of units and of Kubernetes' objects.
bool IsName(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 52 && std::ranges::all_of(name, fits) && name.front() != '-' &&
         name.back() != '-';
}

/// What of a file's name is fit for it.
std::string NameOf(const std::string& path) {
  const auto file = std::filesystem::absolute(path).lexically_normal();
  std::string name = file.stem() == "job" ? file.parent_path().filename().string() : file.stem().string();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_' || c == '.' || c == ' ') c = '-';
  }
  return name;
}

void ReadDuration(bundle::SectionReader& reader, std::string_view key, auto& place) {
  const auto text = reader.Text(key);
  if (!text) return;
  const auto duration = base::ParseDuration(*text);
  if (duration && *duration >= seconds(1)) {
    place = std::chrono::ceil<seconds>(*duration);
    return;
  }
  reader.Reject(key, "manifest.value",
                fmt::format("{} is a time of a second or more with its unit, such as 30s or 2h, not \"{}\"",
                            reader.Name(key), base::Shorten(*text)));
}

base::Result<Retry> ReadRetry(const Value& value) {
  Retry retry;
  bundle::SectionReader reader(value, "retry", {"times", "backoff"});
  retry.times = reader.Integer("times", 0, 1000).value_or(retry.times);
  ReadDuration(reader, "backoff", retry.backoff);
  SLIPWAY_TRY(reader.Finish());
  return retry;
}

base::Result<Periodic> Read(const Value& document, const std::string& path) {
  Periodic periodic;
  auto known = Value::Map();  // the job's own keys are read elsewhere
  for (const auto& key : {"name", "schedule", "retry", "timeout"}) {
    if (const Value* value = document.Find(key)) known.Set(key, *value);
  }
  bundle::SectionReader reader(known, "", {"name", "schedule", "retry", "timeout"});
  periodic.name = reader.Text("name").value_or("");
  const bool named = !periodic.name.empty();
  if (!named) periodic.name = NameOf(path);
  if (!IsName(periodic.name)) {
    reader.Reject("name", "job.name",
                  fmt::format("{} \"{}\" is not fit for a job: lower-case letters, digits and dashes, 52 at most; give "
                              "it one with `name:`",
                              named ? "the name" : "the file's name", base::Shorten(periodic.name)));
  }
  if (const Value* schedule = reader.Find("schedule")) {
    auto read = Schedule::FromValue(*schedule);
    if (!read && read.error().where.empty()) {
      reader.Reject("schedule", read.error().reason, read.error().message);
    } else {
      reader.Put(std::move(read), periodic.schedule);
    }
  }
  if (const Value* retry = reader.Find("retry")) reader.Put(ReadRetry(*retry), periodic.retry);
  ReadDuration(reader, "timeout", periodic.timeout);
  SLIPWAY_TRY(reader.Finish());
  return periodic;
}

}  // namespace

seconds Retry::Pause(int64_t attempt) const {
  const int64_t doublings = std::clamp<int64_t>(attempt - 1, 0, 20);
  return std::min(backoff * (int64_t{1} << doublings), kLongestBackoff);
}

base::Result<Periodic> ParsePeriodic(std::string_view yaml, const std::string& path) {
  auto document = bundle::ParseYaml(yaml);
  auto periodic = document ? Read(*document, path) : base::Result<Periodic>(std::unexpected(document.error()));
  if (periodic) return periodic;
  auto error = std::move(periodic).error();
  error.where = error.where.empty() ? path : fmt::format("{}:{}", path, error.where);
  return std::unexpected(std::move(error));
}

}  // namespace slipway::batch
