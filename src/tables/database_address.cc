#include "tables/database_address.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/text.h"

namespace slipway::tables {
namespace {

struct Scheme {
  std::string_view text;
  DatabaseKind kind;
};

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::array<Scheme, 5> kSchemes = {{{kSqlite, DatabaseKind::kSqlite},
                                             {"postgres://", DatabaseKind::kPostgres},
                                             {"postgresql://", DatabaseKind::kPostgres},
                                             {"mysql://", DatabaseKind::kMysql},
                                             {"mariadb://", DatabaseKind::kMysql}}};
constexpr std::array<std::string_view, 3> kSecrets = {"password", "passwd", "sslpassword"};
constexpr std::array<std::string_view, 3> kModes = {"append", "upsert", "replace"};
/// Our own parameters; all others are the database's.
constexpr std::array<std::string_view, 4> kOwn = {"table", "query", "mode", "key"};
constexpr std::string_view kPatience = "connect_timeout";
/// Those of the client of MySQL and one that it lacks, whose hyphens may be written for underscores.
constexpr std::array<std::string_view, 12> kOfMysql = {kPatience,    "password", "socket",      "compression",
                                                       "ssl_mode",   "ssl_ca",   "ssl_capath",  "ssl_cert",
                                                       "ssl_cipher", "ssl_crl",  "ssl_crlpath", "ssl_key"};

const Scheme* SchemeOf(std::string_view text) {
  const auto* const found =
      std::ranges::find_if(kSchemes, [&](const Scheme& scheme) { return text.starts_with(scheme.text); });
  return found == kSchemes.end() ? nullptr : found;
}

/// Where the text stands apart: `user:secret@host:port/db` and `a=b&c=d`.
struct Pieces {
  const Scheme* scheme = nullptr;
  std::string_view place;
  std::vector<std::string_view> parameters;  ///< "name=value", as written
};

Pieces Split(std::string_view text) {
  Pieces pieces{.scheme = SchemeOf(text), .place = {}, .parameters = {}};
  if (pieces.scheme) text.remove_prefix(pieces.scheme->text.size());
  const size_t mark = text.find('?');
  pieces.place = text.substr(0, mark);
  if (mark == std::string_view::npos) return pieces;
  std::string_view rest = text.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    if (end > 0) pieces.parameters.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return pieces;
}

bool IsSecret(std::string_view parameter) {
  return std::ranges::find(kSecrets, parameter.substr(0, parameter.find('='))) != kSecrets.end();
}

std::unexpected<base::Error> Usage(const std::string& shown, std::string_view problem) {
  return base::Fail(base::Code::kInvalidArgument, "usage", fmt::format("{}: {}", base::Shorten(shown, 512), problem));
}

/// Everything before the last @ of what stands before the first /: a password may hold any other character.
size_t EndOfUser(std::string_view place) {
  const size_t at = place.substr(0, place.find('/')).rfind('@');
  // A password with a slash that was not written as %2F: the last @ of all ends it too.
  return at != std::string_view::npos ? at : place.rfind('@');
}

/// Whether addresses stand in brackets and ports are numbers. They are not where a password with a ? was not written
/// with %3F.
bool HasSoundHosts(std::string_view place) {
  std::string_view hosts = place.substr(0, place.find('/'));
  while (!hosts.empty()) {
    std::string_view host = hosts.substr(0, hosts.find(','));
    hosts.remove_prefix(std::min(host.size() + 1, hosts.size()));
    if (host.starts_with('[')) {
      const size_t end = host.find(']');
      if (end == std::string_view::npos) return false;
      if (host.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
      host.remove_prefix(end + 1);
      if (!host.empty() && !host.starts_with(':')) return false;
    }
    const size_t colon = host.find(':');
    if (colon != std::string_view::npos && host.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

/// Whether what stands before each = is a name. It is not where a password holds a ? or & that was not written as a
/// code.
bool HasSoundNames(const std::vector<std::string_view>& parameters) {
  return std::ranges::all_of(parameters, [](std::string_view parameter) {
    return std::ranges::all_of(parameter.substr(0, parameter.find('=')), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
  });
}

/// A value as the client libraries read it: libpq between single quotes, DuckDB's of MySQL between double ones.
std::string Quoted(std::string_view value, char quote) {
  std::string quoted(1, quote);
  for (const char c : value) {
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + quote;
}

std::string Listed(const std::vector<std::pair<std::string, std::string>>& parameters, char quote) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, Quoted(value, quote));
  }
  return text;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : pieces_(Split(text)) { address_.shown = WithoutPassword(text); }

  base::Result<DatabaseAddress> Read() {
    if (!pieces_.scheme) return Wrong("begins as no address of a database does; write sqlite:FILE?table=T");
    address_.kind = pieces_.scheme->kind;
    if (!HasSoundNames(pieces_.parameters)) {
      return Wrong("what stands before = behind the ? is no name; in a password write %3F for ? and %26 for &");
    }
    if (address_.is_server()) {
      SLIPWAY_TRY(ReadPlace());
    } else {
      address_.file = pieces_.place;
      if (address_.file.empty()) return Wrong("names no file; write sqlite:FILE?table=T");
    }
    for (const auto parameter : pieces_.parameters) SLIPWAY_TRY(ReadParameter(parameter));
    if (address_.is_server()) SplitSchema();
    return std::move(address_);
  }

 private:
  std::unexpected<base::Error> Wrong(std::string_view problem) const { return Usage(address_.shown, problem); }

  base::Result<void> Put(const char* name, std::string_view written) {
    if (written.empty()) return {};
    auto value = base::DecodePercent(written);
    if (!value) return Wrong(fmt::format("its {} has a % that begins no code such as %2F; write %25 for %", name));
    address_.parameters.emplace_back(name, *std::move(value));
    return {};
  }

  base::Result<void> ReadPlace() {
    std::string_view place = pieces_.place;
    if (const size_t at = EndOfUser(place); at != std::string_view::npos) {
      const std::string_view user = place.substr(0, at);
      const size_t colon = user.find(':');
      SLIPWAY_TRY(Put("user", user.substr(0, colon)));
      if (colon != std::string_view::npos) SLIPWAY_TRY(Put("password", user.substr(colon + 1)));
      place.remove_prefix(at + 1);
    }
    if (!HasSoundHosts(place))
      return Wrong("its port is no number; in a password write %3F for ?, %2F for / and %40 for @");
    const size_t slash = std::min(place.find('/'), place.size());
    const bool is_mysql = address_.kind == DatabaseKind::kMysql;
    if (slash < place.size()) SLIPWAY_TRY(Put(is_mysql ? "database" : "dbname", place.substr(slash + 1)));
    std::string hosts, ports;
    bool has_port = false;
    for (std::string_view rest = place.substr(0, slash); !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view host = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const size_t colon = host.starts_with('[') ? host.find(':', host.find(']')) : host.find(':');
      std::string_view name = host.substr(0, colon);
      if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
      const std::string_view port = colon == std::string_view::npos ? "" : host.substr(colon + 1);
      has_port = has_port || !port.empty();
      hosts += fmt::format("{}{}", hosts.empty() ? "" : ",", name);
      ports += fmt::format("{}{}", hosts.size() == name.size() ? "" : ",", port);
    }
    if (is_mysql && hosts.contains(',')) return Wrong("names several hosts, and MySQL is asked at one; leave one");
    SLIPWAY_TRY(Put("host", hosts));
    return has_port ? Put("port", ports) : base::Result<void>();
  }

  base::Result<void> ReadParameter(std::string_view parameter) {
    const size_t equal = parameter.find('=');
    const std::string name(parameter.substr(0, equal));
    if (equal == std::string_view::npos) return Wrong(fmt::format("{} has no value; write {}=…", name, name));
    auto value = base::DecodePercent(parameter.substr(equal + 1));
    if (!value) return Wrong(fmt::format("{} has a % that begins no code such as %26; write %25 for %", name));
    if (name == "table") {
      address_.table = *std::move(value);
    } else if (name == "query") {
      address_.query = *std::move(value);
    } else if (name == "mode") {
      const auto* const mode = std::ranges::find(kModes, *value);
      if (mode == kModes.end()) return Wrong("its mode is none of append, upsert and replace");
      address_.mode = static_cast<WriteMode>(mode - kModes.begin());
    } else if (name == "key") {
      for (std::string_view rest = *value; !rest.empty();) {
        const size_t comma = std::min(rest.find(','), rest.size());
        if (comma > 0) address_.key.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    } else {
      return ReadOther(name, *std::move(value));
    }
    return {};
  }

  base::Result<void> ReadOther(std::string name, std::string value) {
    std::vector<std::string> known(kOwn.begin(), kOwn.end());
    if (address_.kind == DatabaseKind::kMysql) {
      std::ranges::replace(name, '-', '_');
      if (name == "passwd") name = "password";
      known.insert(known.end(), kOfMysql.begin(), kOfMysql.end());
    }
    if (address_.kind != DatabaseKind::kPostgres && std::ranges::find(known, name) == known.end()) {
      return Wrong(fmt::format("there is no parameter {}{}; known are {}", name, base::DidYouMean(name, known),
                               fmt::join(known, ", ")));
    }
    if (name == kPatience && address_.kind == DatabaseKind::kMysql && base::ParseInt64(value).value_or(0) <= 0) {
      return Wrong("its connect_timeout is no number of seconds");
    }
    std::erase_if(address_.parameters, [&](const auto& parameter) { return parameter.first == name; });
    address_.parameters.emplace_back(std::move(name), std::move(value));
    return {};
  }

  void SplitSchema() {
    const size_t dot = address_.table.find('.');
    if (dot == std::string::npos) return;
    address_.schema = address_.table.substr(0, dot);
    address_.table.erase(0, dot + 1);
  }

  Pieces pieces_;
  DatabaseAddress address_;
};

}  // namespace

std::string DatabaseAddress::Connection() const {
  if (kind == DatabaseKind::kSqlite) return file;
  if (kind == DatabaseKind::kMysql) {
    auto known = parameters;
    std::erase_if(known, [](const auto& parameter) { return parameter.first == kPatience; });
    return Listed(known, '"');
  }
  // What libpq waits for without end otherwise: a host that does not answer, and one that went away.
  std::vector<std::pair<std::string, std::string>> all = {
      {std::string(kPatience), "10"}, {"keepalives_idle", "30"},     {"keepalives_interval", "10"},
      {"keepalives_count", "3"},      {"tcp_user_timeout", "60000"}, {"fallback_application_name", "slipway"}};
  for (const auto& [name, value] : parameters) {
    const auto known = std::ranges::find(all, name, &std::pair<std::string, std::string>::first);
    if (known == all.end()) {
      all.emplace_back(name, value);
    } else {
      known->second = value;
    }
  }
  return Listed(all, '\'');
}

std::string DatabaseAddress::Parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? std::string() : found->second;
}

bool IsDatabaseAddress(std::string_view text) {
  return SchemeOf(text) != nullptr;
}

std::string WithoutPassword(std::string_view text) {
  const Pieces pieces = Split(text);
  if (!pieces.scheme || pieces.scheme->kind == DatabaseKind::kSqlite) return std::string(text);
  std::string_view place = pieces.place;
  std::string shown(pieces.scheme->text);
  if (const size_t at = EndOfUser(place); at != std::string_view::npos) {
    shown += place.substr(0, std::min(at, place.find(':')));
    place.remove_prefix(at);
  }
  const bool has_user = place.starts_with('@');
  if (!HasSoundHosts(place.substr(has_user ? 1 : 0)) || (text.contains('@') && !HasSoundNames(pieces.parameters))) {
    return std::string(pieces.scheme->text) + "…";
  }
  shown += place;
  char mark = '?';
  for (const auto parameter : pieces.parameters) {
    if (IsSecret(parameter)) continue;
    shown += mark;
    shown += parameter;
    mark = '&';
  }
  return shown;
}

std::string WithAbsolutePath(std::string_view text) {
  if (!text.starts_with(kSqlite)) return std::string(text);
  const size_t mark = std::min(text.find('?'), text.size());
  const std::string_view file = text.substr(kSqlite.size(), mark - kSqlite.size());
  if (file.empty()) return std::string(text);
  return fmt::format("{}{}{}", kSqlite, std::filesystem::absolute(file).lexically_normal().string(), text.substr(mark));
}

base::Result<DatabaseAddress> ParseDatabaseAddress(std::string_view text) {
  return Reader(text).Read();
}

base::Result<DatabaseAddress> ParseDatabaseSource(std::string_view text) {
  SLIPWAY_ASSIGN(auto address, ParseDatabaseAddress(text));
  if (address.table.empty() == address.query.empty()) {
    return Usage(address.shown, "name either a table or a query to read: ?table=T or ?query=SELECT …");
  }
  if (address.mode != WriteMode::kAppend || !address.key.empty()) {
    return Usage(address.shown, "mode and key are of tables that are written, and this one is read; leave them out");
  }
  return address;
}

base::Result<DatabaseAddress> ParseDatabaseTarget(std::string_view text) {
  SLIPWAY_ASSIGN(auto address, ParseDatabaseAddress(text));
  if (address.kind == DatabaseKind::kMysql) {
    return Usage(address.shown,
                 "tables of MySQL are read and not written; write a file, or a table of sqlite: or postgres://, and "
                 "load it from there");
  }
  if (address.table.empty() || !address.query.empty()) {
    return Usage(address.shown, "name the table to write: ?table=T");
  }
  if (address.mode == WriteMode::kUpsert && address.key.empty()) {
    return Usage(address.shown, "mode=upsert finds rows again by their key; name its columns: &key=a,b");
  }
  if (address.mode != WriteMode::kUpsert && !address.key.empty()) {
    return Usage(address.shown, "a key belongs to mode=upsert; add that, or leave the key out");
  }
  return address;
}

}  // namespace slipway::tables
