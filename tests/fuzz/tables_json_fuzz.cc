// A JSON file of any content is read to its end or refused, and read the same again after a rewind.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tables/json_file.h"

namespace {

using namespace slipway;

/// The rows read and the fault met.
std::string Read(tables::RowSource& source, const data::Layout& layout) {
  const data::JsonRowEncoder encoder(layout.fields());
  data::Decoded rows(layout);
  std::string text;
  while (true) {
    const auto more = source.Next(rows, 3);
    if (!more) return text + more.error().Text();
    if (!*more) return text;
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
  }
  close(descriptor);
  return 0;
}
