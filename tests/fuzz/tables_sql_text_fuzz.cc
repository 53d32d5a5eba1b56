// Any text as SQL: calls are found outside of quotes and comments alone, and what is written for a star only adds to
// it.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "tables/sql_text.h"

namespace {

using namespace slipway::tables;

constexpr std::string_view kFunction = "predict";
constexpr size_t kAdded = std::string_view("struct_pack(*COLUMNS())").size();

void Check(bool holds) {
  if (!holds) std::abort();
}

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}

/// Whether `whole` is `part` with texts put in between.
bool Holds(std::string_view whole, std::string_view part) {
  size_t found = 0;
  for (const char c : whole) {
    if (found < part.size() && c == part[found]) ++found;
  }
  return found == part.size();
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return upper;
}

void CheckCalls(std::string_view sql) {
  const auto calls = CallsOf(kFunction, sql);
  if (calls) {
    Check(Upper(sql).contains(Upper(kFunction)));
    Check(calls->size() >= sql.size() && (calls->size() - sql.size()) % kAdded == 0 && Holds(*calls, sql));
    Check(CallsOf(kFunction, *calls) == calls);
  }
  const std::string before = "SELECT 1 AS \"predict\" -- predict(*)\n, ";
  Check(CallsOf(kFunction, before + std::string(sql)) == (calls ? std::optional(before + *calls) : std::nullopt));
}

void CheckHidden(std::string_view sql) {
  Check(!CallsOf(kFunction, Quoted(sql, '\'')));
  Check(!CallsOf(kFunction, Quoted(sql, '"')));
  Check(sql.contains("$x$") || sql.ends_with("$x") || !CallsOf(kFunction, "$x$" + std::string(sql) + "$x$"));
  Check(sql.contains('\n') || !CallsOf(kFunction, "--" + std::string(sql)));
  Check(sql.contains('*') || !CallsOf(kFunction, "/*" + std::string(sql) + "*/"));
}

void CheckFiles(std::string_view sql) {
  std::string seen;
  const auto look = [&](const std::string& name) -> std::optional<std::string> {
    seen = name;
    return std::nullopt;
  };
  Check(WithFilesReplaced(sql, look) == sql);
  for (const char quote : {'\'', '"'}) {
    const std::string asked = "FROM " + Quoted(sql, quote);
    Check(WithFilesReplaced(asked, look) == asked && seen == sql);
    Check(WithFilesReplaced(asked, [](const auto& name) { return std::optional(name); }) ==
          "FROM " + Quoted(sql, '\''));
    Check(WithFilesReplaced("SELECT " + Quoted(sql, quote), [](const auto&) {
            return std::optional<std::string>("x");
          }) == "SELECT " + Quoted(sql, quote));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  CheckCalls(sql);
  CheckHidden(sql);
  CheckFiles(sql);
  const bool asks = BeginsAsQuestion(sql);
  Check(asks == BeginsAsQuestion(Upper(sql)));
  Check(asks == BeginsAsQuestion("\t/* DELETE /* twice */ */ -- SELECT\n" + std::string(sql)));
  Check(!BeginsAsQuestion(Quoted(sql, '"')));
  return 0;
}
