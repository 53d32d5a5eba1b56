#pragma once
// Words by which tables say that a value is missing, where no schema names them: in columns that are looked at before
// there is one, and in the target, which no schema describes.

#include <array>
#include <string_view>

namespace slipway::data {

inline constexpr std::array<std::string_view, 12> kNullWords = {"NA",   "N/A", "n/a", "null", "NULL", "Null",
                                                                "None", "nan", "NaN", "-",    "?",    "#N/A"};

}  // namespace slipway::data
