#pragma once
// What readers of CSV files and of pieces of them share.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "tables/format.h"

namespace slipway::tables {

/// `,`, tab or `;`. Precondition: a format of separated cells.
char DelimiterOf(Format format);
bool IsSeparated(Format format);

/// The beginning of `text` that completes at most `lines` lines. A record is one line or more, so decoding it yields at
/// most as many rows.
std::string_view FirstLines(std::string_view text, int64_t lines);

/// UTF-16 shows itself by its byte-order mark, or by the zeros beside ASCII. Error: "csv.encoding".
base::Result<void> CheckEncoding(std::string_view beginning, const std::string& path);

/// The same fault with the path before its place.
base::Error InFile(base::Error error, const std::string& path);

}  // namespace slipway::tables
