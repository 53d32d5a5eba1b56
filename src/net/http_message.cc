#include "net/http_message.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::net {
namespace {

constexpr std::string_view kMethodNames[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", ""};
constexpr size_t kKeptBody = 1 << 20;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

std::string_view MethodName(Method method) {
  return kMethodNames[static_cast<size_t>(method)];
}

Method ParseMethod(std::string_view text) {
  for (size_t i = 0; i < static_cast<size_t>(Method::kOther); ++i) {
    if (kMethodNames[i] == text) return static_cast<Method>(i);
  }
  return Method::kOther;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsSaneRequestId(std::string_view id) {
  const auto sane = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:+/=@").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, sane);
}

std::string_view Request::Header(std::string_view name) const {
  for (const HeaderField& field : headers) {
    if (EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return {};
}

std::string_view Request::Parameter(std::string_view name) const {
  for (size_t i = 0; i < parameter_count; ++i) {
    if (parameters[i].name == name) return parameters[i].value;
  }
  return {};
}

std::optional<std::string> Request::QueryValue(std::string_view name) const {
  for (std::string_view rest = query; !rest.empty();) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto key = base::DecodePercent(pair.substr(0, equals), true);
    if (!key || *key != name) continue;
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    return base::DecodePercent(value, true).value_or(std::string(value));
  }
  return std::nullopt;
}

bool Response::HasHeader(std::string_view name) const {
  for (size_t at = headers_.find(name); at != std::string::npos; at = headers_.find(name, at + 1)) {
    if ((at == 0 || headers_[at - 1] == '\n') && headers_.substr(at + name.size(), 1) == ":") return true;
  }
  return false;
}

void Response::AddHeader(std::string_view name, std::string_view value) {
  headers_ += name;
  headers_ += ": ";
  for (const char c : value) headers_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  headers_ += "\r\n";
}

void Response::Clear() {
  status = 200;
  content_type = "application/json";
  fixed_body = {};
  close = begun = in_vain = false;
  if (later) later = nullptr;
  headers_.clear();
  if (body.capacity() > kKeptBody) {
    std::string().swap(body);
  } else {
    body.clear();
  }
}

std::string_view StatusPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace slipway::net
