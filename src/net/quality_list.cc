#include "net/quality_list.h"

#include <algorithm>

namespace slipway::net {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// "0.5" is 500; 0 when malformed.
int Thousandths(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && text[1] != '.') return 0;
  int value = (text[0] - '0') * 1000;
  int weight = 100;
  for (const char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return 0;
    value += (c - '0') * weight;
    weight /= 10;
  }
  return value > 1000 ? 0 : value;
}

}  // namespace

std::optional<QualityItem> NextQualityItem(std::string_view& rest) {
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view member = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    QualityItem item;
    const size_t end = std::min(member.find(';'), member.size());
    item.name = Trim(member.substr(0, end));
    for (member.remove_prefix(end); !member.empty();) {
      member.remove_prefix(1);
      const size_t next = std::min(member.find(';'), member.size());
      const std::string_view parameter = Trim(member.substr(0, next));
      member.remove_prefix(next);
      if (parameter.starts_with("q=") || parameter.starts_with("Q="))
        item.thousandths = Thousandths(parameter.substr(2));
    }
    if (!item.name.empty()) return item;
  }
  return std::nullopt;
}

}  // namespace slipway::net
