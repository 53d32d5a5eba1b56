// A manifest of any content is refused with a message, or read, compiled, and written so that it reads back the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/value.h"
#include "schema/schema.h"
#include "schema/validator.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace slipway;
  const auto manifest = base::ParseJson({reinterpret_cast<const char*>(bytes), size}, {.bytes = 1 << 16});
  if (!manifest) return 0;
  const auto schema = schema::ParseSchema(*manifest);
  if (!schema) {
    if (schema.error().message.empty() || schema.error().reason.empty()) std::abort();
    return 0;
  }
  const base::Value written = schema::ToValue(*schema);
  const auto again = schema::ParseSchema(written);
  if (!again || !(schema::ToValue(*again) == written)) std::abort();
  const auto validator = schema::Validator::Create(schema::WithoutImputing(*schema));
  if (!validator && validator.error().message.empty()) std::abort();
  return 0;
}
