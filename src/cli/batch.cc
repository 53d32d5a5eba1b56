// slipway batch: scores files of any size in parts that survive the process.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "batch/assembly.h"
#include "batch/database_output.h"
#include "batch/job.h"
#include "batch/job_folder.h"
#include "batch/object_input.h"
#include "batch/plan.h"
#include "batch/query_objects.h"
#include "batch/runner.h"
#include "batch/schedule/periodic.h"
#include "batch/schedule/template.h"
#include "batch/sql_scoring.h"
#include "batch/staged_input.h"
#include "cli/batch_daemon.h"
#include "cli/batch_manifest.h"
#include "cli/batch_report.h"
#include "cli/batch_schedule.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/engines.h"
#include "cli/program_version.h"
#include "cli/table_options.h"

namespace slipway::cli {
namespace {

/// As written on the command line; what is not given comes from job.yaml.
struct Options {
  std::string file, max_errors, memory, shard, sample, date = "now";
  int64_t parent = 0;  ///< the process that started this one; 0: any
  batch::Job job;
  bool dry_run = false;
  bool resume = false;
};

std::atomic<bool> stop_asked{false};

/// The first SIGINT or SIGTERM lets parts at hand finish, the second ends the process.
void OnStop(int signal) {
  stop_asked = true;
  std::signal(signal, SIG_DFL);
}

/// Ends as by SIGTERM when the process that started it goes: whoever comes after that one starts it again.
/// Error: it has gone already.
base::Result<void> FollowParent(int64_t parent) {
  if (parent == 0) return {};
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent) return {};
  return base::Fail(base::Code::kUnavailable, "batch.stopped", "the process that started this one is gone");
}

base::Result<batch::Maker> MakerOf(const LoadedBundle& loaded) {
  const auto& manifest = loaded.bundle.manifest();
  SLIPWAY_ASSIGN(auto digest, loaded.bundle.Digest());
  return batch::Maker{.name = manifest.name,
                      .version = manifest.version.ToString(),
                      .digest = std::move(digest),
                      .program = kProgramVersion};
}

using PlanPointer = std::unique_ptr<const batch::Plan>;

/// Stages what rows the plan still awaits, and plans again with them. `own`: where those of a job without a folder go.
base::Result<void> StageRows(PlanPointer& plan, batch::JobFolder* folder, std::optional<base::TemporaryFolder>& own,
                             BatchReport& report) {
  if (!plan->awaits_rows()) return {};
  if (!folder) {
    SLIPWAY_ASSIGN(own, base::TemporaryFolder::Create());
  }
  batch::StagingHooks hooks;
  hooks.stop = [] { return stop_asked.load(); };
  hooks.on_progress = [&](const auto& source, auto share, int64_t bytes) { report.Staging(source, share, bytes); };
  hooks.on_staged = [&](const auto& file, int64_t rows) { report.Staged(file, rows); };
  SLIPWAY_ASSIGN(auto files, batch::Stage(*plan, folder ? folder->input_folder() : own->path(), hooks));
  if (folder) {
    folder->record().files = files;
    SLIPWAY_TRY(folder->Save());
    if (!plan->job.copies.empty()) folder->RemoveCopies();
  }
  SLIPWAY_ASSIGN(plan, batch::MakePlan(plan->job, plan->scorer, plan->baseline, std::move(files)));
  report.Follow(*plan);
  return {};
}

/// Runs a planned job and keeps its record.
ExitCode Work(PlanPointer plan, batch::JobFolder* folder, bool resumed, const Console& console) {
  std::signal(SIGINT, OnStop);
  std::signal(SIGTERM, OnStop);
  BatchReport report(console, *plan);
  report.Started(plan->job.folder, resumed);
  batch::RunHooks hooks;
  hooks.stop = [] { return stop_asked.load(); };
  hooks.on_part = [&](const auto& part, const auto& totals) { report.Part(part, totals); };
  std::optional<base::TemporaryFolder> staged_rows;
  const auto begun = base::Clock::System().Now();
  const auto staged = StageRows(plan, folder, staged_rows, report);
  const auto staging = base::Clock::System().Now() - begun;
  auto ran = staged ? batch::RunJob(*plan, folder, hooks) : std::unexpected(staged.error());
  if (ran) ran->AddStaging(staging);
  if (folder) {
    auto& record = folder->record();
    record.ended = batch::Now();
    record.state =
        ran ? batch::JobState::kDone : (MayGoOn(ran.error()) ? batch::JobState::kStopped : batch::JobState::kFailed);
    record.fault = ran ? "" : ran.error().Text();
    if (ran) record.summary = BatchReport::Summary(*ran);
    // Of a job that failed for want of room, the record may fail too: its list of parts tells enough.
    const auto saved = folder->Save();
    if (ran && !saved) return report.Ended(saved.error(), folder);
    if (ran) folder->RemoveParts();
  }
  return ran ? report.Finished(*ran) : report.Ended(ran.error(), folder);
}

base::Result<batch::Job> JobOf(const Options& options, const CLI::App& command) {
  batch::Job job;
  batch::Periodic periodic;
  if (!options.file.empty()) {
    SLIPWAY_ASSIGN(const auto text, base::ReadFile(options.file, 1 << 20));
    SLIPWAY_ASSIGN(job, batch::ParseJob(text, options.file));
    SLIPWAY_ASSIGN(periodic, batch::ParsePeriodic(text, options.file));
  }
  const auto given = [&](const char* name) { return command.count(name) > 0; };
  const auto take = [&](const char* name, auto member) {
    if (given(name)) job.*member = options.job.*member;
  };
  take("--model", &batch::Job::model);
  take("--input", &batch::Job::input);
  take("--sql", &batch::Job::sql);
  take("--format", &batch::Job::format);
  take("--output", &batch::Job::output);
  take("--output-format", &batch::Job::output_format);
  take("--keep", &batch::Job::keep);
  take("--partition-by", &batch::Job::partition_by);
  take("--max-partitions", &batch::Job::max_partitions);
  take("--row-group-rows", &batch::Job::row_group_rows);
  take("--rejects", &batch::Job::rejects);
  take("--ignore-unknown", &batch::Job::ignore_unknown);
  take("--no-partition-columns", &batch::Job::partition_columns);
  take("--part-rows", &batch::Job::part_rows);
  take("--limit", &batch::Job::limit);
  take("--where", &batch::Job::where);
  take("--no-model-columns", &batch::Job::model_columns);
  take("--threads", &batch::Job::threads);
  take("--job", &batch::Job::folder);
  if (given("--shard")) {
    SLIPWAY_ASSIGN(job.shard, batch::ParseShard(options.shard));
  }
  if (given("--sample")) {
    SLIPWAY_ASSIGN(job.sample, batch::ParseSample(options.sample));
  }
  if (given("--max-errors")) {
    SLIPWAY_ASSIGN(job.max_errors, batch::ParseErrorLimit(options.max_errors));
  }
  if (given("--memory")) {
    SLIPWAY_ASSIGN(job.memory, base::ParseBytes(options.memory));
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(base::Clock::System().WallNow());
  const batch::Schedule* schedule = periodic.schedule ? &*periodic.schedule : nullptr;
  SLIPWAY_ASSIGN(const auto moment, batch::ParseMoment(options.date, schedule, now));
  SLIPWAY_ASSIGN(job, batch::FillTemplates(job, moment));
  SLIPWAY_TRY(batch::Complete(job));
  return job;
}

/// Which rows a job leaves out, in the words of its options.
std::string ChosenRows(const batch::Job& job) {
  std::string text;
  if (!job.where.empty()) text += fmt::format(", where {}", job.where);
  if (job.sample < 1) text += fmt::format(", a sample of {}%", job.sample * 100);
  if (job.limit) text += fmt::format(", the first {} read", Counted(*job.limit, "row"));
  if (job.shard.count > 1) text += fmt::format(", shard {} of {}", job.shard.index, job.shard.count);
  return text;
}

ExitCode ShowPlan(const batch::Plan& plan, const Console& console) {
  auto files = base::Value::List();
  int64_t bytes = 0;
  for (size_t i = 0; i < plan.files.size(); ++i) {
    auto file = base::Value::Map().Set("path", plan.files[i].Name()).Set("bytes", plan.files[i].size);
    if (plan.files[i].source.empty()) file.Set("format", tables::FormatName(plan.heads[i].format));
    if (plan.heads[i].rows) file.Set("rows", *plan.heads[i].rows);
    files.Add(std::move(file));
    bytes += plan.files[i].size;
  }
  auto value = base::Value::Map().Set("files", std::move(files)).Set("bytes", bytes);
  value.Set("output", plan.job.output).Set("output_format", tables::FormatName(plan.output));
  if (!plan.job.partition_by.empty()) {
    auto names = base::Value::List();
    for (const auto& name : plan.job.partition_by) names.Add(name);
    value.Set("partition_by", std::move(names));
  }
  value.Set("job", plan.job.folder);
  if (!plan.job.where.empty()) value.Set("where", plan.job.where);
  if (plan.job.sample < 1) value.Set("sample", plan.job.sample);
  if (plan.job.limit) value.Set("limit", *plan.job.limit);
  console.Result(value);
  if (!console.json()) {
    for (size_t i = 0; i < plan.files.size(); ++i) {
      const bool is_asked = !plan.files[i].source.empty();
      console.Print(fmt::format("{:>12}  {:<8} {}\n", is_asked ? "" : base::FormatBytes({plan.files[i].size}),
                                is_asked ? "query" : tables::FormatName(plan.heads[i].format), plan.files[i].Name()));
    }
    const auto folders =
        plan.job.partition_by.empty() ? "" : fmt::format(" by {}", fmt::join(plan.job.partition_by, ", "));
    console.Print(fmt::format("{}, {}, would be scored into {}{} ({}{}){}\n",
                              Counted(static_cast<int64_t>(plan.files.size()), "file"), base::FormatBytes({bytes}),
                              plan.job.output, plan.job.output_folder ? "/" : "", tables::FormatName(plan.output),
                              folders, ChosenRows(plan.job)));
  }
  return ExitCode::kFine;
}

/// Copies the objects that are not read in place.
base::Result<void> Copy(const std::filesystem::path& folder, batch::Job& job, std::vector<batch::InputFile>& files,
                        const Console& console) {
  int64_t copied = 0;
  Progress progress(console, "copying objects", std::nullopt);
  const auto on_copied = [&](int64_t bytes) {
    copied += bytes;
    progress.Update(copied, base::FormatBytes({copied}));
  };
  if (batch::AsksForObjects(job)) return batch::CopyObjects(job, folder, on_copied);
  return batch::NeedCopies(job, files) ? batch::FetchCopies(folder, job, files, on_copied) : base::Result<void>();
}

/// Null when the bundle has none that can be read: it is no part of the answers.
base::Value BaselineOf(const bundle::Bundle& bundle) {
  if (!bundle.Has(bundle::kBaselineFile)) return {};
  const auto text = bundle.Read(bundle::kBaselineFile);
  const auto baseline = text ? base::ParseJson(*text) : base::Result<base::Value>(base::Value());
  return baseline.value_or(base::Value());
}

/// `addresses`: of databases, with passwords, where they were given again.
base::Result<ExitCode> Resume(const std::string& path, const Options& options, const CLI::App& command,
                              const Console& console, const std::map<std::string, std::string>& addresses = {}) {
  SLIPWAY_ASSIGN(auto folder, batch::JobFolder::Open(path));
  auto& record = folder.record();
  if (record.state == batch::JobState::kDone) {
    folder.RemoveParts();  // unless the process that finished it had come to do so
    console.Note(fmt::format("this job is done: {}", record.job.output));
    console.Result(base::Value::Map().Set("event", "finished").Set("output", record.job.output));
    return ExitCode::kFine;
  }
  auto& job = record.job;
  job.addresses = addresses;
  if (command.count("--threads") > 0) job.threads = options.job.threads;
  if (command.count("--memory") > 0) {
    SLIPWAY_ASSIGN(job.memory, base::ParseBytes(options.memory));
  }
  if (command.count("--max-errors") > 0) {
    SLIPWAY_ASSIGN(job.max_errors, batch::ParseErrorLimit(options.max_errors));
  }
  if (command.count("--max-partitions") > 0) job.max_partitions = options.job.max_partitions;
  SLIPWAY_ASSIGN(const auto loaded, LoadBundle(job.model));
  SLIPWAY_ASSIGN(const auto maker, MakerOf(loaded));
  SLIPWAY_TRY(batch::CheckKept(folder, maker));
  std::vector<batch::InputFile> files;
  for (const auto& file : record.files) {
    SLIPWAY_ASSIGN(auto now, batch::LookAtListed(folder.copies_folder(), file));
    files.push_back(std::move(now));
  }
  const bool is_staged = std::ranges::all_of(files, &batch::InputFile::is_staged);
  if (job.sql.empty() || !is_staged) SLIPWAY_TRY(Copy(folder.copies_folder(), job, files, console));
  auto planned = batch::MakePlan(job, loaded.scorer, BaselineOf(loaded.bundle), std::move(files));
  if (!planned && job.is_piped()) {
    planned.error().message += "; to go on, pipe in the same bytes that the job began with, from their beginning";
  }
  SLIPWAY_ASSIGN(auto plan, std::move(planned));
  SLIPWAY_TRY(batch::CheckTable(*plan));
  record.state = batch::JobState::kRunning;
  record.fault = record.ended = "";
  SLIPWAY_TRY(batch::CheckParts(*plan, folder));
  return Work(std::move(plan), &folder, true, console);
}

/// Whether the folder holds an unfinished job, for `run --resume`. Error: it is another job.
base::Result<bool> HasUnfinished(const batch::Job& job) {
  const auto look = batch::JobFolder::LookAt(job.folder);
  if (!look && look.error().reason == "batch.no_job") return false;
  if (!look) return std::unexpected(look.error());
  if (look->record.state == batch::JobState::kDone) return false;
  SLIPWAY_TRY(batch::CheckSameJob(look->record.job, job));
  return true;
}

/// Of a query that is done.
base::Result<void> RecordSql(const batch::Job& job, const LoadedBundle& loaded, const batch::SqlReport& report,
                             const std::string& begun) {
  batch::JobRecord record{.job = job, .maker = {}, .files = {}, .started = begun};
  SLIPWAY_ASSIGN(record.maker, MakerOf(loaded));
  SLIPWAY_ASSIGN(auto folder, batch::JobFolder::Create(std::move(record)));
  folder.record().state = batch::JobState::kDone;
  folder.record().ended = batch::Now();
  folder.record().summary =
      base::Value::Map().Set("rows", report.rows).Set("rejected", report.rejected).Set("seconds", report.seconds);
  SLIPWAY_TRY(folder.Save());
  folder.RemoveParts();
  return {};
}

/// A query that scores by itself: no parts, and nothing to go on with.
/// `keeps_record`: a folder for it was named, where others (the daemon) look for how it ended.
base::Result<ExitCode> RunSql(batch::Job job, const LoadedBundle& loaded, bool dry_run, bool keeps_record,
                              const Console& console) {
  const auto& scorer = *loaded.scorer;
  std::optional<base::TemporaryFolder> copies;
  if (batch::AsksForObjects(job)) {
    SLIPWAY_ASSIGN(copies, base::TemporaryFolder::Create());
    std::vector<batch::InputFile> none;
    SLIPWAY_TRY(Copy(copies->path(), job, none, console));
  }
  if (dry_run) {
    SLIPWAY_ASSIGN(const auto columns, batch::LookAtSql(job, scorer));
    auto list = base::Value::List();
    for (const auto& column : columns) {
      list.Add(base::Value::Map().Set("name", column.name).Set("type", column.stored_type));
      if (!console.json()) console.Print(fmt::format("{:<30} {}\n", column.name, column.stored_type));
    }
    console.Result(base::Value::Map().Set("columns", std::move(list)).Set("output", job.output));
    return ExitCode::kFine;
  }
  std::signal(SIGINT, OnStop);
  std::signal(SIGTERM, OnStop);
  const std::string begun = batch::Now();
  Progress progress(console, "scoring", std::nullopt);
  batch::SqlHooks hooks;
  hooks.stop = [] { return stop_asked.load(); };
  hooks.on_progress = [&](int64_t scored, int64_t bytes) {
    progress.Update(scored, fmt::format("{} scored, {} written", Counted(scored, "row"), base::FormatBytes({bytes})));
  };
  SLIPWAY_ASSIGN(const auto report, batch::ScoreBySql(job, scorer, hooks));
  progress.Done();
  if (keeps_record && job.output != "-") SLIPWAY_TRY(RecordSql(job, loaded, report, begun));
  if (job.output != "-") {
    console.Result(base::Value::Map()
                       .Set("event", "finished")
                       .Set("output", job.output)
                       .Set("rows", report.rows)
                       .Set("rejected", report.rejected)
                       .Set("seconds", report.seconds));
    if (!console.json()) {
      console.Print(fmt::format("{} {}: {}, {:.1f} s\n", console.Paint("wrote", Color::kGreen), job.output,
                                Counted(report.rows, "row"), report.seconds));
    }
  }
  if (report.rejected > 0)
    console.Warn(
        fmt::format("{} {} rejected", Counted(report.rejected, "record"), report.rejected == 1 ? "was" : "were"));
  return ExitCode::kFine;
}

/// A job over objects that are copied before they are read: into the job's folder, so that it comes first here.
base::Result<ExitCode> RunOverCopies(const batch::Job& job, const LoadedBundle& loaded,
                                     std::vector<batch::InputFile> files, bool dry_run, const Console& console) {
  const auto plan_over = [&](const std::filesystem::path& copies) -> base::Result<PlanPointer> {
    batch::Job asked = job;
    SLIPWAY_TRY(Copy(copies, asked, files, console));
    SLIPWAY_ASSIGN(auto plan, batch::MakePlan(std::move(asked), loaded.scorer, BaselineOf(loaded.bundle), files));
    SLIPWAY_TRY(batch::CheckTable(*plan));
    return plan;
  };
  if (dry_run || job.output == "-") {
    SLIPWAY_ASSIGN(const auto temporary, base::TemporaryFolder::Create());
    SLIPWAY_ASSIGN(auto plan, plan_over(temporary.path()));
    return dry_run ? ShowPlan(*plan, console) : Work(std::move(plan), nullptr, false, console);
  }
  batch::JobRecord record{.job = job, .maker = {}, .files = files, .started = batch::Now()};
  SLIPWAY_ASSIGN(record.maker, MakerOf(loaded));
  SLIPWAY_ASSIGN(auto folder, batch::JobFolder::Create(std::move(record)));
  auto plan = plan_over(folder.copies_folder());
  if (plan) return Work(*std::move(plan), &folder, false, console);
  folder.Discard();
  return std::unexpected(plan.error());
}

base::Result<ExitCode> RunNew(const Options& options, const CLI::App& command, const Console& console) {
  SLIPWAY_TRY(FollowParent(options.parent));
  SLIPWAY_ASSIGN(const auto job, JobOf(options, command));
  if (options.resume && !job.folder.empty() && !batch::ScoresBySql(job)) {
    SLIPWAY_ASSIGN(const bool unfinished, HasUnfinished(job));
    if (unfinished) return Resume(job.folder, options, command, console, job.addresses);
  }
  SLIPWAY_TRY(batch::CheckOutput(job));
  SLIPWAY_ASSIGN(const auto loaded, LoadBundle(job.model));
  SLIPWAY_ASSIGN(auto files, batch::ListSources(job));
  SLIPWAY_TRY(batch::CheckInputsStay(job, files));
  if (batch::ScoresBySql(job)) return RunSql(job, loaded, options.dry_run, command.count("--job") > 0, console);
  if (batch::NeedCopies(job, files) || batch::AsksForObjects(job))
    return RunOverCopies(job, loaded, std::move(files), options.dry_run, console);
  SLIPWAY_ASSIGN(auto plan, batch::MakePlan(job, loaded.scorer, BaselineOf(loaded.bundle), std::move(files)));
  SLIPWAY_TRY(batch::CheckTable(*plan));
  if (options.dry_run) return ShowPlan(*plan, console);
  if (plan->streams()) return Work(std::move(plan), nullptr, false, console);
  batch::JobRecord record{.job = job, .maker = {}, .files = plan->files, .started = batch::Now()};
  SLIPWAY_ASSIGN(record.maker, MakerOf(loaded));
  SLIPWAY_ASSIGN(auto folder, batch::JobFolder::Create(std::move(record)));
  return Work(std::move(plan), &folder, false, console);
}

ExitCode Ended(const base::Result<ExitCode>& done, const Console& console) {
  return done ? *done : console.Fail(done.error());
}

void AddTuning(CLI::App& command, Options& options) {
  command.add_option("--threads", options.job.threads, "Threads that score (default: what the machine allows)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--memory", options.memory, "Bound of memory, e.g. 2GiB (default 1GiB); fewer parts at a time");
  command.add_option("--max-errors", options.max_errors,
                     "Rejected rows that end the job: a number, or a share such as 2.5%");
  command
      .add_option("--max-partitions", options.job.max_partitions,
                  "Different folders that --partition-by may make, at most")
      ->check(CLI::Range(int64_t{1}, batch::kMostPartitions))
      ->capture_default_str();
}

void AddRun(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("run", "Score files into a file or a folder of parts");
  static Options options;
  auto& job = options.job;
  command->add_option("job.yaml", options.file, "The same options in a file; flags go before it");
  command->add_option("--model", job.model, "A folder or a .slipway file");
  command->add_option("--input", job.input, "Files, globs, folders (s3://… too) or databases; - is standard input");
  command->add_option("--sql", job.sql, "A SELECT whose rows are scored; `input` in it stands for what --input names");
  command->add_option("--format", job.format, "Format of the input (default: by extension)")
      ->check(CLI::IsMember(InputFormats(), CLI::ignore_case));
  command->add_option("--output", job.output,
                      "A file, a folder for a file a part (s3://… too), a table, or - for standard output");
  command->add_option("--output-format", job.output_format, "Format of the output (default: by extension)")
      ->check(CLI::IsMember({"csv", "tsv", "ssv", "jsonl", "parquet"}, CLI::ignore_case));
  command->add_option("--keep", job.keep, "Columns of the input to carry along")->delimiter(',');
  command
      ->add_option("--partition-by", job.partition_by, "Columns whose values name folders of the output: year=2026/…")
      ->delimiter(',');
  command->add_option("--row-group-rows", job.row_group_rows, "Rows of a group in Parquet output, in 2,048s")
      ->check(CLI::Range(batch::kLeastGroupRows, batch::kMostPartRows));
  command->add_option("--rejects", job.rejects, "A file for rejected rows, which the output then leaves out");
  command->add_flag("--ignore-unknown", job.ignore_unknown, "Leave out columns that the schema does not know");
  command->add_flag("!--no-partition-columns", job.partition_columns,
                    "Take folders such as year=2026 of the input for names only, not for columns of the rows");
  command->add_option("--part-rows", job.part_rows, "Rows of a part; twice as many of large Parquet files")
      ->check(CLI::Range(int64_t{1}, batch::kMostPartRows))
      ->capture_default_str();
  command->add_option("--limit", job.limit, "Rows of the input to score")->check(CLI::Range(int64_t{0}, INT64_MAX));
  command->add_option("--where", job.where, "Score only rows for which this expression is true");
  command->add_option("--sample", options.sample, "Score only this share of the rows, such as 1%");
  command->add_flag("!--no-model-columns", job.model_columns, "Leave out the columns model and version");
  command->add_option("--shard", options.shard, "I/N: every Nth part from the Ith; auto/N takes JOB_COMPLETION_INDEX");
  command->add_option("--job", job.folder, "Folder of the job (default: beside the output)");
  command->add_flag("--resume", options.resume, "Go on with the unfinished job in that folder, if there is one");
  command
      ->add_option("--date", options.date,
                   "Time that {{ ds }} and its like stand for: now, latest, 2026-11-25 or "
                   "2026-11-25T02:15")
      ->capture_default_str();
  command->add_option("--with-parent", options.parent, "")->group("");  // of the daemon
  command->add_flag("--dry-run", options.dry_run, "Look at everything, score nothing");
  AddTuning(*command, options);
  command->footer(
      "Examples:\n"
      "  slipway batch run --model flight-delay-1.0.0.slipway --input flights.csv --output flights.parquet --keep "
      "flight\n"
      "  slipway batch run --model flight-delay-1.0.0.slipway --input '*ts.csv' --output scores.jsonl --rejects "
      "bad.csv\n\n"
      "The job's folder keeps what is finished: when the process dies, `slipway batch resume` does the rest, and the "
      "output has\nthe same bytes as if nothing had happened. Exit codes: 0 fine, 1 the data or the model, 2 usage, 3 "
      "the "
      "environment,\n4 stopped with finished parts kept.");
  command->callback([&run, command] {
    run = [command](Console& console) { return Ended(RunNew(options, *command, console), console); };
  });
}

void AddResume(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("resume", "Go on with a job that was stopped, killed or failed");
  static Options options;
  command->add_option("job", options.job.folder, "Folder of the job")->required();
  AddTuning(*command, options);
  command->callback([&run, command] {
    run = [command](Console& console) {
      return Ended(Resume(options.job.folder, options, *command, console), console);
    };
  });
}

void AddStatus(CLI::App& batch, Run& run) {
  auto* command = batch.add_subcommand("status", "How far a job is");
  static std::string folder;
  command->add_option("job", folder, "Folder of the job")->required();
  command->callback([&run] { run = [](Console& console) { return ShowStatus(folder, console); }; });
}

}  // namespace

void AddBatch(CLI::App& app, Run& run) {
  auto* batch = app.add_subcommand("batch", "Score files of any size, in parts that survive the process");
  batch->require_subcommand(1);
  AddRun(*batch, run);
  AddResume(*batch, run);
  AddStatus(*batch, run);
  AddBatchDaemon(*batch, run);
  AddBatchHistory(*batch, run);
  AddBatchManifest(*batch, run);
  AddBatchSchedule(*batch, run);
}

}  // namespace slipway::cli
