// Bodies: chunked or of a given length, coded or not, cut anywhere. The first byte of the input chooses, the second
// says how the rest is cut; whole and cut must agree.

#include <cstdlib>
#include <string>
#include <string_view>

#include "net/body_reader.h"

using namespace slipway::net;

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

struct Read {
  std::string text;
  size_t taken = 0;
  bool done = false;
  int status = 0;
};

constexpr int64_t kMost = 1 << 16;

Read ReadAll(std::string_view bytes, const BodyReader::Options& options, size_t piece) {
  BodyReader reader(options);
  Read read;
  while (!reader.done() && !reader.fault()) {
    std::string_view in = bytes.substr(read.taken, piece);
    const size_t offered = in.size();
    for (std::string_view part; reader.Next(in, part);) read.text += part;
    read.taken += offered - in.size();
    if (offered == 0) break;
  }
  read.done = reader.done();
  read.status = reader.fault().status;
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  BodyReader::Options options;
  options.coding = static_cast<ContentCoding>(data[0] % 4);
  options.content_length = (data[0] & 4) != 0 ? data[0] >> 3 : -1;
  options.body_bytes = kMost;
  options.chunk_count = 64;
  options.decoded = {.decoded_bytes = kMost, .ratio = 200, .ratio_from = 4096};
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Read whole = ReadAll(bytes, options, bytes.size() + 1);
  const Read cut = ReadAll(bytes, options, size_t{1} + data[1] % 16);
  Check(whole.done == cut.done);
  Check((whole.status != 0) == (cut.status != 0));
  if (whole.done) Check(whole.text == cut.text && whole.taken == cut.taken);
  Check(!(whole.done && whole.status != 0));
  Check(std::ssize(whole.text) <= kMost + static_cast<int64_t>(BodyReader::kPieceBytes));
  if (options.content_length >= 0) Check(static_cast<int64_t>(whole.taken) <= options.content_length);
  return 0;
}
