#include "batch/database_output.h"

#include <string>

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

}  // namespace

base::Result<void> CheckTable(const Plan& plan) {
  if (!tables::IsDatabaseAddress(plan.job.output)) return {};
  SLIPWAY_ASSIGN(const auto table, OpenTable(plan, {}));
  return table->Check(plan.form->fields());
}

base::Result<Assembled> WriteTable(const Plan& plan, const JobFolder& folder) {
  SLIPWAY_ASSIGN(const auto table, OpenTable(plan, folder.parts_folder().string()));
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
  SLIPWAY_TRY(table->Write(plan.form->fields(), rows));
  return assembled;
}

}  // namespace slipway::batch
