#include "batch/query_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "storage/object_store.h"
#include "tables/sql_text.h"

namespace slipway::batch {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "s3://";

std::unexpected<base::Error> Usage(std::string message) {
  return base::Fail(base::Code::kInvalidArgument, "usage", std::move(message));
}

std::vector<std::string> ObjectsOf(const Job& job) {
  std::vector<std::string> names;
  if (job.sql.empty()) return names;
  std::ranges::copy_if(job.input, std::back_inserter(names), storage::IsObjectUrl);
  tables::WithFilesReplaced(job.sql, [&](const std::string& name) -> std::optional<std::string> {
    if (storage::IsObjectUrl(name)) names.push_back(name);
    return std::nullopt;
  });
  return names;
}

/// Where an object's copy stands in the folder. Error: its key is no path of a file.
base::Result<fs::path> CopyOf(const std::string& url) {
  fs::path place = url.substr(kScheme.size());
  const bool is_path = std::ranges::none_of(place, [](const fs::path& part) { return part == "." || part == ".."; });
  if (is_path && url.find("//", kScheme.size()) == std::string::npos) return place;
  return Usage(fmt::format("{} is no name that a file can have, as a query needs it; copy the object under another one",
                           base::Shorten(url, 512)));
}

/// As a pattern, in which the folder's own name stands for itself.
std::string Mirrored(const std::string& folder, const std::string& url) {
  return tables::ExactPattern(folder) + "/" + url.substr(kScheme.size());
}

base::Result<void> CheckPattern(const std::string& name) {
  if (name.find("**") != std::string::npos) {
    return Usage(fmt::format("{}: ** is not read in names of objects; name the folders one by one, as in */*/*.parquet",
                             base::Shorten(name, 512)));
  }
  return {};
}

}  // namespace

bool AsksForObjects(const Job& job) {
  return !ObjectsOf(job).empty();
}

base::Result<void> CopyObjects(Job& job, const fs::path& folder, const OnCopied& on_copied) {
  std::error_code failed;
  fs::remove_all(folder, failed);
  std::set<std::string> copied;
  for (const auto& name : ObjectsOf(job)) {
    SLIPWAY_TRY(CheckPattern(name));
    const bool is_input = std::ranges::find(job.input, name) != job.input.end();
    SLIPWAY_ASSIGN(const auto objects, ListObjects(name, !is_input || !job.format.empty()));
    if (objects.empty()) {
      return base::Fail(
          base::Code::kNotFound, "batch.no_files",
          fmt::format("the query names {}, and there is no such object; check the name", base::Shorten(name, 512)));
    }
    for (const auto& object : objects) {
      if (!copied.insert(object.path).second) continue;
      SLIPWAY_ASSIGN(const auto place, CopyOf(object.path));
      const auto copy = folder / place;
      fs::create_directories(copy.parent_path(), failed);
      if (failed) {
        return base::Fail(base::Code::kUnavailable, "tables.write", fmt::format("cannot be made: {}", failed.message()),
                          copy.parent_path().string());
      }
      SLIPWAY_TRY(FetchObject(object, copy, on_copied));
    }
  }
  job.copies = fs::absolute(folder).lexically_normal().string();
  return {};
}

std::string QueryOverCopies(const Job& job) {
  if (job.copies.empty()) return job.sql;
  return tables::WithFilesReplaced(job.sql, [&](const std::string& name) {
    return storage::IsObjectUrl(name) ? std::optional(Mirrored(job.copies, name)) : std::nullopt;
  });
}

std::vector<std::string> InputsOverCopies(const Job& job) {
  auto inputs = job.input;
  for (auto& input : inputs) {
    if (!job.copies.empty() && storage::IsObjectUrl(input)) input = Mirrored(job.copies, input);
  }
  return inputs;
}

}  // namespace slipway::batch
