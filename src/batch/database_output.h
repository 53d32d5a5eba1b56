#pragma once
// Tables of databases as the output of a job.

#include "base/error.h"
#include "batch/assembly.h"
#include "batch/job_folder.h"
#include "batch/plan.h"

namespace slipway::batch {

/// Whether the table that the job writes, if it writes one, will take its rows; looked at before anything is scored.
/// Errors: those of tables::DatabaseTable::Open and Check.
base::Result<void> CheckTable(const Plan& plan);

/// Writes the rows of all parts in one transaction, once for a job: a later call finds that it was done. Errors: those
/// of tables::DatabaseTable.
base::Result<Assembled> WriteTable(const Plan& plan, const JobFolder& folder);

}  // namespace slipway::batch
