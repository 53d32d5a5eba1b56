#pragma once
// RecordFunction is the seam to what SQL may call with a record: rows in, rows out. What it does with them is the
// caller's business.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/decoded.h"

namespace slipway::tables {

/// One thread's. Thread-safety: one thread at a time.
class RecordWorker {
 public:
  virtual ~RecordWorker() = default;

  /// To be filled; made for the function's layout.
  virtual data::Decoded& rows() = 0;
  /// One row for each of rows(), in memory of the worker's. An error ends the query.
  virtual base::Result<const data::Table*> Answer() = 0;
};

struct RecordFunction {
  std::string name;
  const data::Layout* layout = nullptr;  ///< of its argument, a struct; members that are not in it are passed over
  std::vector<std::string> required;     ///< members that the argument must have
  std::vector<data::Field> fields;       ///< of its answer, a struct
  std::function<base::Result<std::unique_ptr<RecordWorker>>()> new_worker;  ///< called from any thread
};

}  // namespace slipway::tables
