#include "data/type.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway::data {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"boolean", "integer", "number", "string", "timestamp"};

}  // namespace

std::string_view ScalarTypeName(ScalarType type) {
  return kNames[static_cast<size_t>(type)];
}

base::Result<ScalarType> ParseScalarType(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ScalarType>(i);
  }
  const std::vector<std::string> known(kNames.begin(), kNames.end());
  return base::Fail(base::Code::kInvalidArgument, "type.unknown",
                    "there is no type \"" + base::Shorten(name) + "\"" + base::DidYouMean(name, known) +
                        "; the types are boolean, integer, number, string and timestamp");
}

bool DataType::is_variable() const {
  return std::any_of(shape.begin(), shape.end(), [](int64_t dimension) { return dimension < 0; });
}

int64_t DataType::elements() const {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}

std::string DataType::ToString() const {
  std::string text(ScalarTypeName(scalar));
  if (shape.empty()) return text;
  char separator = '[';
  for (const int64_t dimension : shape) {
    text += separator;
    text += dimension < 0 ? "?" : std::to_string(dimension);
    separator = ',';
  }
  return text + "]";
}

int64_t RowBytes(const std::vector<Field>& fields) {
  int64_t elements = 1;
  for (const Field& field : fields) elements += field.type.is_variable() ? 1 : field.type.elements();
  return elements * static_cast<int64_t>(sizeof(double));
}

}  // namespace slipway::data
