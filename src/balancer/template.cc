#include "balancer/template.h"

#include <fmt/format.h>

namespace slipway::balancer {

std::string Fill(std::string_view text, const Values& values) {
  std::string filled(text);
  for (const auto& [name, value] : values) {
    const std::string hole = fmt::format("@{}@", name);
    for (size_t at = filled.find(hole); at != std::string::npos; at = filled.find(hole, at + value.size())) {
      filled.replace(at, hole.size(), value);
    }
  }
  return filled;
}

std::string ForEach(const std::vector<std::string>& replicas, std::string_view line) {
  std::string lines;
  for (size_t i = 0; i < replicas.size(); ++i) {
    lines += Fill(line, {{"address", replicas[i]}, {"number", std::to_string(i + 1)}});
  }
  return lines;
}

std::string Duration(std::chrono::nanoseconds duration) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return milliseconds % 1000 == 0 ? fmt::format("{}s", milliseconds / 1000) : fmt::format("{}ms", milliseconds);
}

}  // namespace slipway::balancer
