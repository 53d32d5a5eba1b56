#pragma once
// Objects (s3://…) as output of a job. One object appears when it is complete; a folder of parts is complete once
// `_SUCCESS` stands in it, which names them all.

#include <string>

#include "base/error.h"
#include "batch/assembly.h"
#include "batch/job_folder.h"
#include "batch/plan.h"

namespace slipway::batch {

/// Whether the job may write there: looked at before anything is scored. Errors: failed_precondition
/// "batch.output_exists" for a folder with objects in it; those of storage::ObjectStore.
base::Result<void> CheckObjectOutput(const Job& job);

/// Sends the parts, which lie in the job's folder, and then the marker. To repeat it changes nothing.
base::Result<void> SendParts(const Plan& plan, const JobFolder& folder, const Assembled& assembled);

/// Throws away what an earlier process sent of an object or a folder, and did not finish.
void DropUnfinishedObjects(const std::string& target, bool folder);

}  // namespace slipway::batch
