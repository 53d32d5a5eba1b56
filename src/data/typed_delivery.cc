#include "data/typed_delivery.h"

#include <fmt/format.h>

#include <string>

#include "base/text.h"

namespace slipway::data {
namespace {

constexpr int64_t kExactIntegers = int64_t{1} << 53;
constexpr std::array kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

}  // namespace

double DecimalNumber(Wide value, int scale) {
  const bool exact = value >= -kExactIntegers && value <= kExactIntegers;
  if (exact && scale >= 0 && scale < static_cast<int>(kPowersOfTen.size())) {
    return static_cast<double>(static_cast<int64_t>(value)) / kPowersOfTen[static_cast<size_t>(scale)];
  }
  std::string digits;
  for (UnsignedWide rest = value < 0 ? -static_cast<UnsignedWide>(value) : static_cast<UnsignedWide>(value); rest != 0;
       rest /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  return base::ParseDouble(fmt::format("{}{}e{}", value < 0 ? "-" : "", digits.empty() ? "0" : digits, -scale))
      .value_or(0);
}

}  // namespace slipway::data
