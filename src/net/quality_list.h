#pragma once
// Accept, Accept-Encoding: lists whose members carry a quality (RFC 9110 12.4.2).

#include <optional>
#include <string_view>

namespace slipway::net {

/// One member: "text/csv;header=present;q=0.5" is name "text/csv", thousandths 500.
struct QualityItem {
  std::string_view name;  ///< without parameters; as sent
  int thousandths = 1000;
};

/// Takes the next member off `rest`; nullopt at the end. A malformed quality counts as 0: what is not understood is not
/// wanted.
std::optional<QualityItem> NextQualityItem(std::string_view& rest);

}  // namespace slipway::net
