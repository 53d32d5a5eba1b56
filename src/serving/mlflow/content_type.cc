#include "serving/mlflow/content_type.h"

#include <algorithm>

#include "base/text.h"
#include "net/http_message.h"

namespace slipway::serving::mlflow {
namespace {

/// Takes the text before the next semicolon.
std::string_view Next(std::string_view& rest) {
  const size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view part = base::Trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool IsUtf8Charset(std::string_view parameter) {
  const size_t equals = std::min(parameter.find('='), parameter.size());
  std::string_view value = base::Trim(parameter.substr(std::min(equals + 1, parameter.size())));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return net::EqualsIgnoreCase(base::Trim(parameter.substr(0, equals)), "charset") &&
         (net::EqualsIgnoreCase(value, "utf-8") || net::EqualsIgnoreCase(value, "utf8"));
}

}  // namespace

std::optional<Content> ContentOf(std::string_view content_type) {
  if (content_type.empty()) return Content::kJson;
  const std::string_view type = Next(content_type);
  const bool csv = net::EqualsIgnoreCase(type, "text/csv");
  if (!csv && !net::EqualsIgnoreCase(type, "application/json")) return std::nullopt;
  while (!content_type.empty()) {
    const std::string_view parameter = Next(content_type);
    if (!parameter.empty() && !IsUtf8Charset(parameter)) return std::nullopt;
  }
  return csv ? Content::kCsv : Content::kJson;
}

}  // namespace slipway::serving::mlflow
