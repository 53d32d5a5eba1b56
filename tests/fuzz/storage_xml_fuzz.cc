// XML of any kind: told elements have a path that is not too deep, and text that the reader escapes is read back.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/s3/answers.h"
#include "storage/s3/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::storage::s3;
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  size_t total = 0;
  const auto read = ReadXml(xml, [&](std::string_view path, std::string_view text) {
    int depth = 1;
    for (const char c : path) depth += c == '/';
    if (path.empty() || depth > kMostXmlDepth) std::abort();
    total += text.size();
    std::string back;
    const auto again = ReadXml("<a>" + EscapeXml(text) + "</a>", [&](auto, auto same) { back = same; });
    if (!again || back != text) std::abort();
  });
  if (total > size) std::abort();  // nothing grows
  static_cast<void>(read);
  Listing listing;
  static_cast<void>(ReadListing(xml, listing));
  Uploads uploads;
  static_cast<void>(ReadUploads(xml, uploads));
  static_cast<void>(ReadFault(xml));
  return 0;
}
