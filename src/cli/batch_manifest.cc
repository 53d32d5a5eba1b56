// slipway batch manifest: writes a job's schedule for a scheduler that people have already.

#include "cli/batch_manifest.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "batch/schedulers/scheduler.h"
#include "cli/console.h"

namespace slipway::cli {
namespace {

constexpr std::array<const char*, 4> kSchedulers = {"cron", "systemd", "kubernetes", "airflow"};

struct ManifestFlags {
  std::string scheduler, job, output;
  batch::SchedulerOptions options;
};

base::Result<void> Write(const ManifestFlags& flags, const Console& console) {
  SLIPWAY_ASSIGN(const auto yaml, base::ReadFile(flags.job, 1 << 20));
  SLIPWAY_ASSIGN(const auto job, batch::ReadJobFile(flags.job));
  auto options = flags.options;
  options.now = std::chrono::floor<std::chrono::seconds>(base::Clock::System().WallNow());
  const auto scheduler =
      static_cast<batch::Scheduler>(std::ranges::find(kSchedulers, flags.scheduler) - kSchedulers.begin());
  SLIPWAY_ASSIGN(const auto files, batch::FilesFor(scheduler, job, yaml, options));
  auto list = base::Value::List();
  for (const auto& file : files) {
    auto value = base::Value::Map().Set("name", file.name);
    if (flags.output.empty()) {
      list.Add(value.Set("text", file.text));
      if (!console.json()) console.Print((&file == &files.front() ? "" : "\n") + file.text);
      continue;
    }
    const auto path = std::filesystem::path(flags.output) / file.name;
    SLIPWAY_TRY(base::WriteFileAtomically(path, file.text));
    list.Add(value.Set("path", path.string()));
    if (!console.json()) console.Print(fmt::format("{} {}\n", console.Paint("wrote", Color::kGreen), path.string()));
  }
  console.Result(list);
  return {};
}

}  // namespace

void AddBatchManifest(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("manifest", "Write a job's schedule for cron, systemd, Kubernetes or Airflow");
  static ManifestFlags flags;
  auto& options = flags.options;
  command->add_option("--for", flags.scheduler, "The scheduler")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(kSchedulers.begin(), kSchedulers.end())));
  command->add_option("job.yaml", flags.job, "A job with a `schedule:`; flags go before it")->required();
  command->add_option("--output", flags.output, "Folder for the files (default: standard output)");
  command->add_option("--program", options.program, "Where slipway stands on that machine")->capture_default_str();
  command->add_option("--folder", options.folder, "Folder that the job's relative paths are of (default: the job's)");
  command->add_option("--user", options.user, "systemd: who runs it (default: a user made up for each run)");
  command->add_option("--image", options.image, "Kubernetes: the container image");
  command->add_option("--claim", options.claim, "Kubernetes: the volume claim with the data (default: NAME-data)");
  command->add_option("--shards", options.shards, "Kubernetes: pods that share a run")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->footer(
      "Example:\n  slipway batch manifest --for systemd job.yaml\n\n"
      "The files are yours to read and edit: they say why each line is there. docs/operations/batch-schedules.md tells "
      "the rest.");
  command->callback([&run] {
    run = [](Console& console) {
      const auto done = Write(flags, console);
      return done ? ExitCode::kFine : console.Fail(done.error());
    };
  });
}

}  // namespace slipway::cli
