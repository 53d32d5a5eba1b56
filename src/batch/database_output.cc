#include "batch/database_output.h"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "base/machine.h"
#include "tables/database_address.h"
#include "tables/database_table.h"

namespace slipway::batch {
namespace {

base::Result<std::unique_ptr<tables::DatabaseTable>> OpenTable(const Plan& plan, const std::string& parts) {
  SLIPWAY_ASSIGN(const auto target, tables::ParseDatabaseTarget(plan.job.AddressOf(plan.job.output)));
  tables::DatabaseTableOptions options;
  options.reads_from = parts;
  options.threads = plan.job.threads > 0 ? plan.job.threads : base::CpuBudget();
  options.memory = {plan.job.memory.count / 2};
  return tables::DatabaseTable::Open(target, options);
}

/// A lock that others hold, or a connection that was lost, may be gone in a moment. Whether the rows were written all
/// the same is seen by their id.
base::Result<void> WriteRows(const Plan& plan, const std::string& parts, const tables::DatabaseRows& rows) {
  base::Result<void> written;
  for (const auto pause :
       {std::chrono::milliseconds(0), std::chrono::milliseconds(500), std::chrono::milliseconds(2000)}) {
    std::this_thread::sleep_for(pause);
    auto table = OpenTable(plan, parts);
    written = table ? (*table)->Write(plan.form->fields(), rows) : std::unexpected(std::move(table).error());
    if (written || written.error().reason != "tables.connection") break;
  }
  return written;
}

}  // namespace

base::Result<void> CheckTable(const Plan& plan) {
  if (!tables::IsDatabaseAddress(plan.job.output)) return {};
  SLIPWAY_ASSIGN(const auto table, OpenTable(plan, {}));
  return table->Check(plan.form->fields());
}

base::Result<Assembled> WriteTable(const Plan& plan, const JobFolder& folder) {
  tables::DatabaseRows rows;
  rows.id = folder.record().id;
  Assembled assembled;
  base::Xxh3Stream digests;
  for (const auto& part : folder.parts()) {
    rows.files.push_back((folder.parts_folder() / plan.PartFile(part.number)).string());
    rows.rows += part.scored() - (plan.job.rejects.empty() ? 0 : part.rejected);
    assembled.bytes += part.bytes;
    digests.Add(part.output + "\n");
  }
  assembled.digest = rows.digest = digests.Digits();
  SLIPWAY_TRY(WriteRows(plan, folder.parts_folder().string(), rows));
  return assembled;
}

}  // namespace slipway::batch
