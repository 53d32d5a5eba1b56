#pragma once
// Assembly makes the output of a job from its parts: one file in the input's order, or a folder of them.

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "batch/job_folder.h"
#include "batch/plan.h"
#include "tables/output_file.h"

namespace slipway::batch {

struct Assembled {
  int64_t bytes = 0;
  std::string digest;  ///< of the bytes; of a folder: of the parts' digests, a line each
};

/// The output and the rejects appear under their names, complete and on disk. Errors: data_loss "batch.part_lost" when
/// a part is not what was recorded; unavailable "tables.write"; failed_precondition "batch.output_exists".
base::Result<Assembled> Assemble(const Plan& plan, const JobFolder& folder);

/// Hands a part's bytes on, and checks that they are the recorded ones.
base::Result<void> CopyPart(const std::filesystem::path& part, int64_t bytes, const std::string& digest,
                            base::Xxh3Stream& all, tables::OutputFile& to);

/// Whether the output and the rejects can be made at all, looked at before anything is scored: a folder that is not
/// empty cannot be replaced, and each needs a place of its own.
base::Result<void> CheckOutput(const Job& job);

/// Nothing that is written may take the place of what is read. Error: invalid_argument "usage".
base::Result<void> CheckInputsStay(const Job& job, const std::vector<InputFile>& files);

}  // namespace slipway::batch
