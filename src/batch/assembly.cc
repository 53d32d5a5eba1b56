#include "batch/assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "base/files.h"
#include "batch/database_output.h"
#include "batch/object_output.h"
#include "storage/object_store.h"
#include "tables/database_address.h"
#include "tables/input_file.h"
#include "tables/parquet/join_files.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

std::unexpected<base::Error> Lost(const fs::path& part, std::string_view what) {
  return base::Fail(base::Code::kDataLoss, "batch.part_lost",
                    fmt::format("a finished part {}; remove the job's folder and run the job again", what),
                    part.string());
}

std::unexpected<base::Error> WriteFault(const std::string& path, const std::error_code& error) {
  return base::Fail(base::Code::kUnavailable, "tables.write",
                    fmt::format("cannot write {}: {}", path, error.message()));
}

base::Result<Assembled> AssembleText(const Plan& plan, const JobFolder& folder) {
  Assembled assembled;
  base::Xxh3Stream digest;
  const std::string header = plan.form->Header();
  int64_t bytes = static_cast<int64_t>(header.size());
  for (const auto& part : folder.parts()) bytes += part.bytes;
  SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(plan.job.output, bytes));
  digest.Add(header);
  assembled.bytes = static_cast<int64_t>(header.size());
  SLIPWAY_TRY(file.Append(header));
  for (const auto& part : folder.parts()) {
    const auto path = folder.parts_folder() / plan.PartFile(part.number);
    SLIPWAY_TRY(CopyPart(path, part.bytes, part.output, digest, file));
    assembled.bytes += part.bytes;
  }
  assembled.digest = digest.Digits();
  SLIPWAY_TRY(file.Finish());
  return assembled;
}

/// A table without rows where there was no part.
base::Result<void> WriteEmpty(const Plan& plan, const std::string& path) {
  tables::TableOptions options;
  options.format = plan.output;
  SLIPWAY_ASSIGN(const auto sink, tables::OpenSink(path, plan.form->fields(), options));
  return sink->Finish();
}

base::Result<Assembled> AssembleParquet(const Plan& plan, const JobFolder& folder) {
  std::vector<std::string> paths;
  for (const auto& part : folder.parts()) {
    paths.push_back((folder.parts_folder() / plan.PartFile(part.number)).string());
  }
  if (paths.empty()) {
    paths.push_back((folder.parts_folder() / plan.PartFile(0)).string());
    SLIPWAY_TRY(WriteEmpty(plan, paths[0]));
  }
  SLIPWAY_ASSIGN(const auto joined, tables::parquet::JoinFiles(paths, plan.job.output));
  return Assembled{.bytes = joined.bytes, .digest = joined.digest};
}

base::Result<Assembled> AssembleFolder(const Plan& plan, const JobFolder& folder) {
  Assembled assembled;
  base::Xxh3Stream digests;
  std::error_code failed;
  for (const auto& part : folder.parts()) {
    assembled.bytes += part.bytes;
    digests.Add(part.output + "\n");
  }
  assembled.digest = digests.Digits();
  if (!fs::exists(folder.parts_folder(), failed)) return assembled;  // it has its name already
  if (folder.parts().empty() && plan.output != tables::Format::kJsonLines && !plan.keys) {
    SLIPWAY_TRY(WriteEmpty(plan, (folder.parts_folder() / plan.PartFile(0)).string()));
  }
  if (storage::IsObjectUrl(plan.job.output)) {
    SLIPWAY_TRY(SendParts(plan, folder, assembled));
    return assembled;
  }
  const fs::path target(plan.job.output);
  fs::create_directories(target.parent_path(), failed);
  if (std::rename(folder.parts_folder().c_str(), target.c_str()) != 0) {
    if (errno != EXDEV) return WriteFault(target, std::error_code(errno, std::generic_category()));
    // The job's folder lies on another file system: a copy beside the target takes the name.
    const fs::path copy = tables::TemporaryNameFor(target.string());
    fs::copy(folder.parts_folder(), copy, fs::copy_options::recursive, failed);
    if (!failed) fs::rename(copy, target, failed);
    if (failed) return WriteFault(target, failed);
  }
  SLIPWAY_TRY(base::SyncFolder(target.parent_path()));
  return assembled;
}

/// Whether two names lead to one file or object.
bool IsSamePlace(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty() || one == "-" || other == "-") return false;
  std::error_code ignored;
  return one == other || (!storage::IsObjectUrl(one) && fs::equivalent(one, other, ignored));
}

base::Result<void> CheckRejects(const Job& job) {
  if (job.rejects.empty()) return {};
  SLIPWAY_TRY(RejectsFormat(job));
  std::error_code ignored;
  const bool in_output = job.output_folder && job.rejects.starts_with(job.output + "/");
  if (in_output || IsSamePlace(job.output, job.rejects)) {
    return base::Fail(base::Code::kInvalidArgument, "usage",
                      fmt::format("--rejects {} is {} the output, where rows that were scored stand; give it a place "
                                  "of its own",
                                  job.rejects, in_output ? "in the folder of" : "the file of"));
  }
  if (storage::IsObjectUrl(job.rejects) || fs::is_directory(fs::path(job.rejects).parent_path(), ignored)) return {};
  return base::Fail(base::Code::kUnavailable, "tables.write",
                    fmt::format("cannot write {}: there is no such folder; create it first", job.rejects));
}

base::Result<void> AssembleRejects(const Plan& plan, const JobFolder& folder) {
  if (plan.job.rejects.empty()) return {};
  SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(plan.job.rejects));
  SLIPWAY_TRY(file.Append(plan.RejectsHeader()));
  base::Xxh3Stream digest;
  for (const auto& part : folder.parts()) {
    if (part.reject_bytes == 0) continue;
    SLIPWAY_TRY(
        CopyPart(folder.rejects_folder() / PartName(part.number), part.reject_bytes, part.rejects, digest, file));
  }
  return file.Finish();
}

}  // namespace

base::Result<void> CopyPart(const fs::path& part, int64_t bytes, const std::string& digest, base::Xxh3Stream& all,
                            tables::OutputFile& to) {
  SLIPWAY_ASSIGN(auto file, tables::InputFile::Open(part.string()));
  base::Xxh3Stream own;
  int64_t copied = 0;
  while (true) {
    SLIPWAY_ASSIGN(const std::string_view block, file.ReadBlock());
    if (block.empty()) break;
    own.Add(block);
    all.Add(block);
    copied += static_cast<int64_t>(block.size());
    SLIPWAY_TRY(to.Append(block));
  }
  if (copied != bytes || own.Digits() != digest) return Lost(part, "has other bytes than were written");
  return {};
}

base::Result<void> CheckInputsStay(const Job& job, const std::vector<InputFile>& files) {
  std::vector<InputFile> read = files;
  if (!job.sql.empty() && std::ranges::none_of(job.input, tables::IsDatabaseAddress)) {
    SLIPWAY_ASSIGN(read, ListInput(job.input, !job.format.empty()));
  }
  for (const auto& [name, what] : {std::pair(&job.output, "--output"), std::pair(&job.rejects, "--rejects")}) {
    if (std::ranges::none_of(read, [&](const InputFile& file) { return IsSamePlace(file.path, *name); })) continue;
    return base::Fail(
        base::Code::kInvalidArgument, "usage",
        fmt::format("{} {} is also an input, and would take its place; give it another name", what, *name));
  }
  return {};
}

base::Result<void> CheckOutput(const Job& job) {
  SLIPWAY_TRY(CheckRejects(job));
  std::error_code ignored;
  const fs::path output(job.output);
  if (job.folder == job.output || (job.output_folder && job.folder.starts_with(job.output + "/"))) {
    return base::Fail(base::Code::kInvalidArgument, "usage",
                      fmt::format("--job {} stands where the output is to be; give it a place of its own", job.folder));
  }
  if (job.output == "-" || tables::IsDatabaseAddress(job.output)) return {};
  if (storage::IsObjectUrl(job.output)) return CheckObjectOutput(job);
  if (job.output_folder && fs::exists(output, ignored) && !fs::is_empty(output, ignored)) {
    return base::Fail(base::Code::kFailedPrecondition, "batch.output_exists",
                      fmt::format("the output folder {} has files in it; name another one, or remove it", job.output));
  }
  if (!job.output_folder && !fs::is_directory(output.parent_path(), ignored)) {
    return base::Fail(base::Code::kUnavailable, "tables.write",
                      fmt::format("cannot write {}: there is no such folder; create it first", job.output));
  }
  return {};
}

base::Result<Assembled> Assemble(const Plan& plan, const JobFolder& folder) {
  SLIPWAY_TRY(AssembleRejects(plan, folder));
  if (tables::IsDatabaseAddress(plan.job.output)) return WriteTable(plan, folder);
  if (plan.job.output_folder) return AssembleFolder(plan, folder);
  auto assembled = plan.form->is_text() ? AssembleText(plan, folder) : AssembleParquet(plan, folder);
  if (assembled && !storage::IsObjectUrl(plan.job.output))
    SLIPWAY_TRY(base::SyncFolder(fs::path(plan.job.output).parent_path()));
  return assembled;
}

}  // namespace slipway::batch
