#pragma once
// The files of a job, in the order in which they are read.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace slipway::batch {

/// A file as it was found; what tells whether it is still the same.
struct InputFile {
  std::string path;  ///< "-" is standard input, s3://… an object; empty: not staged yet
  int64_t size = 0;
  int64_t modified = 0;  ///< nanoseconds since 1970; 0 where the tag tells
  /// Of rows that were staged in `path`: the database or the query they come from, and the digest of the file.
  std::string source = {}, digest = {};
  std::string tag = {};   ///< of an object: another for other content
  std::string copy = {};  ///< of an object: where it is read instead; does not count when two are compared

  bool is_staged() const { return source.empty() || !path.empty(); }
  /// What people know it by.
  const std::string& Name() const { return source.empty() ? path : source; }
  /// Where its bytes are.
  const std::string& Place() const { return copy.empty() ? path : copy; }
  friend bool operator==(const InputFile& a, const InputFile& b) {
    return a.path == b.path && a.size == b.size && a.modified == b.modified && a.source == b.source &&
           a.digest == b.digest && a.tag == b.tag;
  }
};

/// The file as it is now. Errors: not_found "tables.missing", unavailable "tables.read", "tables.not_a_file"; of
/// objects, those of storage::ObjectStore.
base::Result<InputFile> Look(const std::string& path);

/// Files, globs and folders to files. A folder gives, in all its folders, the files whose extension is a table's (all
/// with `any_extension`), but names that begin with "." or "_", as half-written and marker files do. Each file once;
/// those of one glob or folder in the order of their paths' bytes. Errors: those of Look; not_found "batch.no_files".
base::Result<std::vector<InputFile>> ListInput(const std::vector<std::string>& sources, bool any_extension);

base::Value ToValue(const std::vector<InputFile>& files);
base::Result<std::vector<InputFile>> InputFilesOf(const base::Value& value);

}  // namespace slipway::batch
