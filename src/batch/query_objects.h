#pragma once
// Objects that a query reads: copied into a folder that mirrors their stores, so that the engine reads them as files.

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "batch/job.h"
#include "batch/object_input.h"

namespace slipway::batch {

/// Whether the job's query names objects, by itself or by `input`.
bool AsksForObjects(const Job& job);

/// Copies them, each whole; what is in the folder goes first. The job's query is asked of the copies from then on.
/// Errors: those of ListObjects; not_found "batch.no_files"; "usage" for names that
/// cannot be copied; unavailable "tables.write".
base::Result<void> CopyObjects(Job& job, const std::filesystem::path& folder, const OnCopied& on_copied = {});

/// The query, and the inputs that it calls `input`, with the names of the copies in place of those of objects.
std::string QueryOverCopies(const Job& job);
std::vector<std::string> InputsOverCopies(const Job& job);

}  // namespace slipway::batch
