// Any bytes as a value of Thrift's compact protocol: refused, or written again as a value that is read the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tables/parquet/thrift_value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace slipway::tables::parquet;
  const auto value = ReadThrift({reinterpret_cast<const char*>(bytes), size});
  if (!value) return 0;
  std::string written, again;
  AppendThrift(*value, written);
  const auto read = ReadThrift(written);
  if (!read) std::abort();
  AppendThrift(*read, again);
  if (again != written) std::abort();
  return 0;
}
