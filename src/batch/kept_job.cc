// What must be the same for a kept job to go on.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "batch/object_output.h"
#include "batch/part_reader.h"
#include "batch/runner.h"
#include "storage/object_store.h"
#include "tables/piece_source.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

std::unexpected<base::Error> Changed(std::string message, const std::string& where) {
  return base::Fail(base::Code::kFailedPrecondition, "batch.changed",
                    message +
                        "; finished parts would not fit the others. Put back what it was, or remove the job's "
                        "folder and run the job again",
                    where);
}

/// Whether the text that the finished parts of a file were made of is still there.
base::Result<void> CompareText(const Plan& plan, const JobFolder& folder, int64_t file) {
  const auto& head = plan.heads[static_cast<size_t>(file)];
  if (head.format == tables::Format::kParquet) {
    return Changed("the file changed since parts of it were scored", head.path);
  }
  SLIPWAY_ASSIGN(const auto source, tables::OpenPieces(head));
  return CompareParts(plan, folder.parts(), file, *source);
}

/// What a process that was killed left behind: files in the making, and parts that nobody recorded.
void RemoveStrays(const fs::path& folder, const std::set<std::string>& recorded) {
  std::error_code ignored;
  std::vector<fs::path> strays;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (!recorded.contains(entry.path().lexically_relative(folder).string())) strays.push_back(entry.path());
  }
  std::ranges::reverse(strays);  // folders behind what is in them; one that is not empty stays
  for (const auto& stray : strays) fs::remove(stray, ignored);
}

/// Whether a part's files are there as they were recorded.
bool IsWhole(const Plan& plan, const PartRecord& part, const fs::path& parts) {
  return std::ranges::all_of(plan.FilesOf(part), [&](const WrittenFile& file) {
    std::error_code failed;
    return fs::file_size(parts / file.path, failed) == static_cast<uintmax_t>(file.bytes) && !failed;
  });
}

/// Likewise beside the output and the rejects, where only names that tables::TemporaryNameFor makes are ours.
void RemoveStraysOf(const std::string& target, bool folder) {
  if (target.empty()) return;
  if (storage::IsObjectUrl(target)) return DropUnfinishedObjects(target, folder);
  const fs::path path(target);
  const std::string begin = "." + path.filename().string() + ".";
  std::error_code ignored;
  std::vector<fs::path> strays;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with(begin) && name.ends_with(".part") &&
                      name.find_first_not_of("0123456789.", begin.size()) == name.size() - 4;
    if (ours) strays.push_back(entry.path());
  }
  for (const auto& stray : strays) fs::remove_all(stray, ignored);
}

}  // namespace

base::Result<void> CompareParts(const Plan& plan, const std::vector<PartRecord>& finished, int64_t file,
                                tables::PieceSource& source) {
  const std::string& path = plan.heads[static_cast<size_t>(file)].path;
  const std::string_view name = path == "-" ? "standard input" : "the file";
  tables::Piece piece;
  for (const auto& part : finished) {
    if (part.file != file) continue;
    do {  // parts of other shards are passed over
      auto bounds = plan.bounds();
      // The last part of a job with --limit is shorter than others.
      if (piece.end == part.begin || part.begin.row == 0) bounds.rows = std::min(bounds.rows, part.rows());
      SLIPWAY_ASSIGN(const bool more, source.Next(bounds, piece));
      if (!more)
        return Changed(fmt::format("{} lacks rows that were scored, from row {} on", name, part.begin.row), path);
    } while (piece.end.row < part.end.row);
    if (piece.begin != part.begin || piece.end != part.end || base::Xxh3Digits(piece.text) != part.input) {
      return Changed(
          fmt::format("{} changed within rows {} to {}, which were scored", name, part.begin.row, part.end.row - 1),
          path);
    }
  }
  return {};
}

base::Result<void> CheckKept(JobFolder& folder, const Maker& maker) {
  const auto& kept = folder.record().maker;
  const std::string where = folder.path().string();
  if (kept.digest != maker.digest) {
    return Changed(fmt::format("the bundle is another: the job began with {} {} ({}), and now it is {} {} ({})",
                               kept.name, kept.version, kept.digest, maker.name, maker.version, maker.digest),
                   where);
  }
  if (kept.program != maker.program) {
    return Changed(fmt::format("the job began with slipway {}, and this is {}", kept.program, maker.program), where);
  }
  if (folder.record().job.is_piped() && isatty(STDIN_FILENO) != 0) {
    return base::Fail(base::Code::kInvalidArgument, "usage",
                      "the job reads standard input: pipe the bytes that it began with in again, from their beginning",
                      where);
  }
  return {};
}

base::Result<void> CheckParts(const Plan& plan, JobFolder& folder) {
  auto& listed = folder.record().files;
  for (size_t file = 0; file < listed.size(); ++file) {
    const bool is_staged = !listed[file].digest.empty() && plan.files[file].digest == listed[file].digest;
    if (plan.files[file] == listed[file] || is_staged || plan.files[file].path == "-") continue;
    SLIPWAY_TRY(CompareText(plan, folder, static_cast<int64_t>(file)));
  }
  listed = plan.files;
  std::error_code ignored;
  // A folder of parts that has taken the output's name already is where they are.
  const bool moved =
      plan.job.output_folder && !storage::IsObjectUrl(plan.job.output) && !fs::exists(folder.parts_folder(), ignored);
  const fs::path parts = moved ? fs::path(plan.job.output) : folder.parts_folder();
  size_t whole = 0;
  for (const auto& part : folder.parts()) {
    const auto rejects =
        part.reject_bytes == 0 ? 0 : fs::file_size(folder.rejects_folder() / PartName(part.number), ignored);
    if (!IsWhole(plan, part, parts) || rejects != static_cast<uintmax_t>(part.reject_bytes)) break;
    ++whole;
  }
  if (whole < folder.parts().size()) SLIPWAY_TRY(folder.Truncate(whole));
  std::set<std::string> recorded, rejected;
  for (const auto& part : folder.parts()) {
    for (const auto& file : plan.FilesOf(part)) recorded.insert(file.path);
    if (part.reject_bytes > 0) rejected.insert(PartName(part.number));
  }
  if (!moved) RemoveStrays(folder.parts_folder(), recorded);
  RemoveStrays(folder.rejects_folder(), rejected);
  RemoveStraysOf(plan.job.output, plan.job.output_folder);
  RemoveStraysOf(plan.job.rejects, false);
  for (const auto& path : {folder.parts_folder(), folder.rejects_folder()}) {
    if (!moved) fs::create_directories(path, ignored);
  }
  return folder.Save();
}

}  // namespace slipway::batch
