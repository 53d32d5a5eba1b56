// A JSON file of any content is read to its end or refused, and read the same again after a rewind; a byte behind it
// that belongs to no record is always told.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tables/json_file.h"

namespace {

using namespace slipway;

constexpr char kFault = '\x01';  // stands in no JSON, so in no row as written

/// The rows read, those that are no record as a mark, and the fault met.
std::string Read(tables::RowSource& source, const data::Layout& layout) {
  const data::JsonRowEncoder encoder(layout.fields());
  data::Decoded rows(layout);
  std::string text;
  while (true) {
    const auto more = source.Next(rows, 3);
    if (!more) return text + kFault + more.error().Text();
    if (!*more) return text;
    for (const auto& violation : rows.violations) {
      if (violation.code == data::ViolationCode::kMalformed) text += kFault;
    }
    for (int64_t row = 0; row < rows.table.rows; ++row) encoder.AppendRow(rows.table, row, text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const int descriptor = memfd_create("input", MFD_CLOEXEC);
  if (write(descriptor, bytes, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const data::Layout layout({{.name = "a"}, {.name = "b", .type = {data::ScalarType::kString, {}}}});
  for (const auto form : {tables::JsonRecordReader::Form::kLines, tables::JsonRecordReader::Form::kDocument}) {
    const auto source = tables::JsonFileSource::Open(path, layout, form);
    if (!source) std::abort();
    const std::string first = Read(**source, layout);
    if (!(*source)->Rewind() || Read(**source, layout) != first) std::abort();
    const auto end = static_cast<off_t>(size);
    if (pwrite(descriptor, "", 1, end) != 1 || !(*source)->Rewind()) std::abort();
    if (Read(**source, layout).find(kFault) == std::string::npos || ftruncate(descriptor, end) != 0) std::abort();
  }
  close(descriptor);
  return 0;
}
