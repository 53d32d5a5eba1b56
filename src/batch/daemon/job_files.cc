#include "batch/daemon/job_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "batch/schedule/template.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

base::Error Fault(std::string reason, std::string message, std::string where) {
  return {base::Code::kInvalidArgument, std::move(reason), std::move(message), std::move(where)};
}

/// What a folder holds, by name.
std::vector<std::string> FilesIn(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry.is_directory(ignored)) {
      if (fs::exists(entry.path() / "job.yaml", ignored)) files.push_back((entry.path() / "job.yaml").string());
    } else if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml") {
      files.push_back(entry.path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

base::Result<void> CheckPeriodic(const JobFile& file) {
  if (file.job.output == "-" || std::ranges::count(file.job.input, "-") > 0) {
    return std::unexpected(Fault("job.streams",
                                 "a job of the daemon's has an input and an output with names: standard input and "
                                 "output (-) lead nowhere here",
                                 file.path));
  }
  return {};
}

}  // namespace

base::Result<JobFile> ReadJobFile(const std::string& path) {
  SLIPWAY_ASSIGN(const auto text, base::ReadFile(path, 1 << 20));
  JobFile file{.path = fs::absolute(path).lexically_normal().string(), .job = {}, .periodic = {}};
  SLIPWAY_ASSIGN(file.job, ParseJob(text, path));
  SLIPWAY_ASSIGN(file.periodic, ParsePeriodic(text, path));
  return file;
}

JobFiles JobFiles::Read(const std::vector<std::string>& paths) {
  JobFiles files;
  const auto add = [&](const std::string& path, bool named) {
    auto file = ReadJobFile(path);
    if (file && !file->periodic.schedule) {
      if (!named) return;  // a job that is run by hand
      file =
          std::unexpected(Fault("job.no_schedule", "the job has no `schedule:`; give it one, or run it by hand", path));
    }
    if (file) {
      const auto same =
          std::ranges::find(files.jobs, file->periodic.name, [](const auto& job) { return job.periodic.name; });
      if (same != files.jobs.end() && same->path == file->path) return;
      if (same != files.jobs.end()) {
        file =
            std::unexpected(Fault("job.name",
                                  fmt::format("another job has the name \"{}\": {}; give one of them another `name:`",
                                              file->periodic.name, same->path),
                                  path));
      } else if (auto checked = CheckPeriodic(*file); !checked) {
        file = std::unexpected(std::move(checked).error());
      }
    }
    if (file) {
      files.jobs.push_back(*std::move(file));
    } else {
      files.broken.push_back({.path = path, .error = std::move(file).error()});
    }
  };
  for (const auto& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      add(path, true);
      continue;
    }
    for (const auto& file : FilesIn(path)) add(file, false);
  }
  std::ranges::sort(files.jobs, {}, [](const auto& job) { return job.periodic.name; });
  return files;
}

base::Result<Job> JobAt(const JobFile& file, Instant scheduled) {
  const Schedule& schedule = *file.periodic.schedule;
  const Moment moment{
      .time = scheduled, .zone = schedule.zone(), .previous = schedule.Latest(scheduled - std::chrono::seconds(1))};
  SLIPWAY_ASSIGN(auto job, FillTemplates(file.job, moment));
  SLIPWAY_TRY(Complete(job));
  constexpr std::string_view kEnding = ".job";
  if (job.folder.ends_with(kEnding)) job.folder.resize(job.folder.size() - kEnding.size());
  job.folder += fmt::format(".{}{}", TimeZone::Utc().Format(scheduled, "%Y%m%dT%H%M%SZ"), kEnding);
  return job;
}

}  // namespace slipway::batch
