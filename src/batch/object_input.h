#pragma once
// Objects (s3://…) as input of a job: which there are, what tells whether they are the same, and local copies of those
// that cannot be read in place.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "batch/input_list.h"
#include "batch/job.h"

namespace slipway::batch {

/// An object as it is now. Errors: those of storage::ObjectStore.
base::Result<InputFile> LookAtObject(const std::string& url);

/// What a name, a glob or a folder (a name that ends in /) stands for, by the rules of ListInput; none when there is
/// nothing.
/// `*` does not cross a /.
base::Result<std::vector<InputFile>> ListObjects(const std::string& source, bool any_extension);

/// Whether there are objects of Parquet, whose index stands at their end: they are read from copies.
bool NeedCopies(const Job& job, const std::vector<InputFile>& files);

/// Hears of bytes, block by block.
using OnCopied = std::function<void(int64_t bytes)>;

/// Fetches what is not there yet, each under a temporary name first, and has the files read from the copies. What else
/// stands in the folder goes: copies of other versions, half copies. Errors: those of storage::ObjectStore;
/// failed_precondition "batch.input_changed" when an object is no longer the one that was listed; unavailable
/// "tables.write".
base::Result<void> FetchCopies(const std::filesystem::path& folder, const Job& job, std::vector<InputFile>& files,
                               const OnCopied& on_copied = {});

/// One copy, complete and on disk under its name. Errors: those of the store; failed_precondition
/// "batch.input_changed".
base::Result<void> FetchObject(const InputFile& file, const std::filesystem::path& copy, const OnCopied& on_copied);

/// The file as it is now; of one with a copy, as it was when that was made.
base::Result<InputFile> LookAtListed(const std::filesystem::path& copies, const InputFile& listed);

}  // namespace slipway::batch
