#include "batch/object_output.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/files.h"
#include "base/hash.h"
#include "base/value.h"
#include "storage/object_store.h"
#include "tables/output_file.h"

namespace slipway::batch {
namespace {

constexpr int64_t kFormat = 1;

/// What tells readers that all parts are there.
std::string Marker(const Plan& plan, const JobFolder& folder, const Assembled& assembled) {
  auto parts = base::Value::List();
  for (const auto& part : folder.parts()) {
    for (const auto& file : plan.FilesOf(part)) {
      parts.Add(base::Value::Map()
                    .Set("name", file.path)
                    .Set("rows", file.rows)
                    .Set("bytes", file.bytes)
                    .Set("digest", file.digest));
    }
  }
  auto value = base::Value::Map().Set("format", kFormat).Set("digest", assembled.digest);
  value.Set("parts", std::move(parts));
  return base::ToJson(value, {.indent = 2, .trailing_newline = true});
}

base::Result<void> Put(const std::string& url, std::string_view bytes) {
  SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(url, static_cast<int64_t>(bytes.size())));
  SLIPWAY_TRY(file.Append(bytes));
  return file.Finish();
}

}  // namespace

base::Result<void> CheckObjectOutput(const Job& job) {
  SLIPWAY_ASSIGN(auto* store, storage::StoreOf(job.output));
  SLIPWAY_ASSIGN(const auto url, storage::ParseObjectUrl(job.output_folder ? job.output + "/" : job.output));
  const auto any = store->HasAny(url);
  // Who may write an object need not be allowed to list; that a folder is empty has to be seen.
  if (!any && !job.output_folder && any.error().reason == "storage.denied") return {};
  if (!any) return std::unexpected(any.error());
  if (!job.output_folder || !*any) return {};
  return base::Fail(
      base::Code::kFailedPrecondition, "batch.output_exists",
      fmt::format("the output folder {}/ has objects in it; name another one, or remove them", job.output));
}

base::Result<void> SendParts(const Plan& plan, const JobFolder& folder, const Assembled& assembled) {
  const std::string place = plan.job.output + "/";
  for (const auto& part : folder.parts()) {
    for (const auto& written : plan.FilesOf(part)) {
      SLIPWAY_ASSIGN(auto file, tables::OutputFile::Create(place + written.path, written.bytes));
      base::Xxh3Stream digest;
      SLIPWAY_TRY(CopyPart(folder.parts_folder() / written.path, written.bytes, written.digest, digest, file));
      SLIPWAY_TRY(file.Finish());
    }
  }
  const auto empty = folder.parts_folder() / plan.PartFile(0);
  if (std::error_code ignored; folder.parts().empty() && std::filesystem::exists(empty, ignored)) {
    SLIPWAY_ASSIGN(const auto bytes, base::ReadFile(empty));
    SLIPWAY_TRY(Put(place + plan.PartFile(0), bytes));
  }
  return Put(place + "_SUCCESS", Marker(plan, folder, assembled));
}

void DropUnfinishedObjects(const std::string& target, bool folder) {
  const auto store = storage::StoreOf(target);
  const auto url = storage::ParseObjectUrl(folder ? target + "/" : target);
  // Who may write need not be allowed to list uploads; what stays then is for the bucket's rules to clear away.
  if (!store || !url) return;
  const auto dropped = (*store)->DropUnfinished(*url);
  static_cast<void>(dropped);
}

}  // namespace slipway::batch
