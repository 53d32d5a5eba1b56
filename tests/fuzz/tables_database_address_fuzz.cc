// Any text as an address of a database: what is shown says the same without the password, wherever that stands, and
// what the client library is given is read there as it was meant.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tables/database_address.h"

namespace {

using namespace slipway::tables;
using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kSecret = "qZsecretZq";

void Check(bool holds) {
  if (!holds) std::abort();
}

bool IsSecret(std::string_view name) {
  return name == "password" || name == "passwd" || name == "sslpassword";
}

Parameters Open(Parameters parameters) {
  std::erase_if(parameters, [](const auto& parameter) { return IsSecret(parameter.first); });
  return parameters;
}

/// As the client libraries do.
Parameters ReadConnection(std::string_view text, char quote) {
  Parameters read;
  while (!text.empty()) {
    const size_t equal = text.find('=');
    Check(equal != std::string_view::npos && text.substr(equal + 1).starts_with(quote));
    read.emplace_back(text.substr(0, equal), "");
    size_t at = equal + 2;
    for (; at < text.size() && text[at] != quote; ++at) {
      if (text[at] == '\\') ++at;
      Check(at < text.size());
      read.back().second += text[at];
    }
    Check(at < text.size());
    text.remove_prefix(at + 1);
    Check(text.empty() || text.front() == ' ');
    text.remove_prefix(std::min<size_t>(text.size(), 1));
  }
  return read;
}

void CheckConnection(const DatabaseAddress& address) {
  if (!address.is_server()) return Check(address.Connection() == address.file);
  const auto read = ReadConnection(address.Connection(), address.kind == DatabaseKind::kMysql ? '"' : '\'');
  for (const auto& parameter : address.parameters) {
    if (address.kind == DatabaseKind::kMysql && parameter.first == "connect_timeout") continue;
    Check(std::ranges::find(read, parameter) != read.end());
  }
}

void CheckShown(std::string_view text) {
  const std::string shown = WithoutPassword(text);
  Check(WithoutPassword(shown) == shown);
  const auto address = ParseDatabaseAddress(text);
  Check(!address || IsDatabaseAddress(text));
  if (!address) return;
  Check(address->shown == shown);
  CheckConnection(*address);
  const auto again = ParseDatabaseAddress(shown);
  Check(again && again->kind == address->kind && again->file == address->file && again->schema == address->schema &&
        again->table == address->table && again->query == address->query && again->mode == address->mode &&
        again->key == address->key && Open(again->parameters) == Open(address->parameters));
  const auto source = ParseDatabaseSource(text), target = ParseDatabaseTarget(text);
  Check(!source || source->table.empty() != source->query.empty());
  Check(!target || (target->kind != DatabaseKind::kMysql && !target->table.empty()));
}

/// A password with anything in it, behind a name that ends where a name does.
void CheckHidden(std::string_view scheme, std::string user, std::string_view more) {
  std::erase_if(user, [](char c) { return c == '/' || c == '?'; });
  if (user.contains(kSecret) || more.contains(kSecret)) return;
  const std::string text = std::string(scheme) + user + ":" + std::string(kSecret) + std::string(more) + "@h/d?table=t";
  Check(!WithoutPassword(text).contains(kSecret));
  const auto address = ParseDatabaseSource(text);
  Check(address || !address.error().message.contains(kSecret));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view rest = text.substr(std::min(first.size() + 1, text.size()));
  CheckShown(text);
  for (const std::string_view scheme : {"postgres://", "mysql://"}) {
    CheckShown(std::string(scheme) + std::string(text));
    CheckHidden(scheme, std::string(first), rest);
  }
  const std::string absolute = WithAbsolutePath(text);
  Check(WithAbsolutePath(absolute) == absolute && IsDatabaseAddress(absolute) == IsDatabaseAddress(text));
  return 0;
}
