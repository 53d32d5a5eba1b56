#include "tables/csv_text.h"

#include <cstring>
#include <utility>

namespace slipway::tables {

bool IsSeparated(Format format) {
  return format == Format::kCsv || format == Format::kTsv || format == Format::kSsv;
}

char DelimiterOf(Format format) {
  return format == Format::kTsv ? '\t' : format == Format::kSsv ? ';' : ',';
}

std::string_view FirstLines(std::string_view text, int64_t lines) {
  size_t end = 0;
  for (; lines > 0 && end < text.size(); --lines) {
    const void* found = std::memchr(text.data() + end, '\n', text.size() - end);
    const size_t line_end =
        found ? static_cast<size_t>(static_cast<const char*>(found) - text.data()) + 1 : text.size();
    // Old files end lines with a bare carriage return.
    const void* bare = std::memchr(text.data() + end, '\r', line_end - end);
    end = bare ? static_cast<size_t>(static_cast<const char*>(bare) - text.data()) + 1 : line_end;
    if (bare && end < text.size() && text[end] == '\n') ++end;
  }
  return text.substr(0, end);
}

base::Result<void> CheckEncoding(std::string_view beginning, const std::string& path) {
  if (!beginning.starts_with("\xFF\xFE") && !beginning.starts_with("\xFE\xFF") &&
      beginning.substr(0, 64).find('\0') == std::string_view::npos) {
    return {};
  }
  return base::Fail(base::Code::kInvalidArgument, "csv.encoding",
                    "this is no text in UTF-8, it looks like UTF-16 or binary data; save it as UTF-8 (iconv -f UTF-16 "
                    "-t UTF-8)",
                    path);
}

base::Error InFile(base::Error error, const std::string& path) {
  error.where = error.where.empty() ? path : path + ":" + error.where;
  return error;
}

}  // namespace slipway::tables
