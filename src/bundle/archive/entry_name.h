#pragma once
// Names of files inside a bundle: relative, canonical and the same on every file system.

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::bundle {

inline constexpr int kMaxEntryNameBytes = 255;

/// Takes `model.onnx`, `tables/rates.csv`: 1 to `max_bytes` printable ASCII characters other than \ : * ? " < > |,
/// components parted by single slashes, none of them "." or "..", none that starts or ends with a space or ends with a
/// dot. Error: "bundle.file_name" with the fault.
base::Result<void> CheckEntryName(std::string_view name, int max_bytes = kMaxEntryNameBytes);

/// The form under which names must differ: ASCII letters in lower case.
std::string FoldedName(std::string_view name);

}  // namespace slipway::bundle
