// Values of a store that other programs may write to. The first two bytes say how much of the input is the request; the
// rest is the value. What is taken must be what writing the same answer again makes.

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "serving/cache/redis/shared_answer.h"

using namespace slipway;
using namespace slipway::serving;

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckRead(std::string_view value, std::string_view request) {
  CachedAnswer answer;
  if (!ReadSharedAnswer(value, request, answer)) return;
  Check(answer.hole >= -1 && answer.hole <= static_cast<int64_t>(answer.body.size()));
  Check(answer.rows >= 0);
  Check(answer.headers.empty() || answer.headers.ends_with("\r\n"));
  Check(answer.headers.find("\r\n\r\n") == std::string::npos);
  Check(WriteSharedAnswer(request, answer) == value);
  CachedAnswer other;
  Check(!ReadSharedAnswer(value, std::string(request) + "x", other));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t asked = static_cast<size_t>(data[0] << 8 | data[1]) % (input.size() + 1);
  const std::string_view request = input.substr(0, asked), value = input.substr(asked);
  CheckRead(value, request);
  // The checksum would keep all but the seeds out: the same value with the right one.
  if (value.size() < 8) return 0;
  std::string sealed(value.substr(0, value.size() - 8));
  const uint64_t sum = base::Xxh3(sealed);
  for (int shift = 0; shift < 64; shift += 8) sealed += static_cast<char>(sum >> shift & 0xFF);
  CheckRead(sealed, request);
  return 0;
}
