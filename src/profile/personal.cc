// Heuristics for personal data. They mark, they do not decide: a person reads the proposal.

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "profile/column_profile.h"

namespace slipway::profile {
namespace {

std::vector<std::string> Tokens(std::string_view name) {
  std::vector<std::string> tokens(1);
  char before = 0;
  for (const char c : name) {
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0;
    const bool starts = std::isupper(static_cast<unsigned char>(c)) && std::islower(static_cast<unsigned char>(before));
    if ((!letter || starts) && !tokens.back().empty()) tokens.emplace_back();
    if (letter) tokens.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    before = c;
  }
  if (tokens.back().empty()) tokens.pop_back();
  return tokens;
}

bool IsEmail(std::string_view text) {
  const size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) return false;
  const auto domain = text.substr(at + 1);
  const size_t dot = domain.rfind('.');
  return dot != std::string_view::npos && dot > 0 && domain.size() - dot > 2 &&
         text.find_first_of(" \t,;") == std::string_view::npos;
}

std::pair<std::string, bool> Digits(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      digits += c;
    } else if (std::string_view(" -+()./").find(c) == std::string_view::npos) {
      return {{}, false};
    }
  }
  return {digits, true};
}

/// ISO/IEC 7812-1, annex B.
bool LuhnHolds(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

}  // namespace

std::string_view PersonalKindName(PersonalKind kind) {
  switch (kind) {
    case PersonalKind::kNone:
      return "";
    case PersonalKind::kEmail:
      return "e-mail addresses";
    case PersonalKind::kPhone:
      return "phone numbers";
    case PersonalKind::kCard:
      return "card numbers";
    case PersonalKind::kName:
      return "names of people";
    case PersonalKind::kAddress:
      return "postal addresses";
    case PersonalKind::kBirth:
      return "dates of birth";
    case PersonalKind::kNationalId:
      return "national or document numbers";
    case PersonalKind::kNetworkAddress:
      return "network addresses of people";
  }
  return "";
}

PersonalKind PersonalByName(std::string_view column) {
  const auto tokens = Tokens(column);
  auto has = [&](std::string_view token) { return std::ranges::find(tokens, token) != tokens.end(); };
  auto any = [&](auto... words) { return (has(words) || ...); };
  if (any("email", "mail")) return PersonalKind::kEmail;
  if (any("phone", "telephone", "mobile", "msisdn", "fax")) return PersonalKind::kPhone;
  if (any("iban", "pan") || (has("card") && any("number", "no", "num"))) return PersonalKind::kCard;
  if (any("surname", "firstname", "lastname", "fullname", "forename", "givenname", "familyname", "middlename",
          "nickname", "username")) {
    return PersonalKind::kName;
  }
  const bool of_thing =
      any("file", "product", "item", "airline", "airport", "company", "brand", "host", "domain", "table", "column",
          "class", "model", "city", "country", "path", "event", "category", "type");
  if (has("name") && !of_thing &&
      any("first", "last", "full", "given", "family", "middle", "person", "customer", "user", "patient", "client",
          "employee", "maiden", "passenger", "driver", "owner", "holder", "contact", "student", "teacher", "guest",
          "member", "author", "buyer", "seller", "sender", "recipient", "borrower", "applicant", "cardholder", "birth",
          "father", "mother", "spouse", "child", "doctor", "nick")) {
    return PersonalKind::kName;
  }
  if (tokens.size() == 1 && has("name")) return PersonalKind::kName;
  if (any("street", "zip", "zipcode", "postcode") || (has("address") && !any("ip", "mac")))
    return PersonalKind::kAddress;
  if (any("dob", "born", "birthday", "birthdate") || (has("birth") && !has("weight"))) return PersonalKind::kBirth;
  if (any("ssn", "passport", "nino") || (has("tax") && has("id")) || (has("social") && has("security"))) {
    return PersonalKind::kNationalId;
  }
  if (has("ip") && tokens.size() <= 3) return PersonalKind::kNetworkAddress;
  return PersonalKind::kNone;
}

PersonalKind PersonalByValue(std::string_view text) {
  if (IsEmail(text)) return PersonalKind::kEmail;
  const auto [digits, only] = Digits(text);
  if (!only) return PersonalKind::kNone;
  const bool separated = digits.size() != text.size();
  if (digits.size() >= 13 && digits.size() <= 19 && digits.front() != '0' && LuhnHolds(digits))
    return PersonalKind::kCard;
  // Bare digits are any number; a phone number shows itself by its plus or its separators.
  const bool marked = text.front() == '+' || text.find_first_of("()") != std::string_view::npos ||
                      std::ranges::count(text, '-') + std::ranges::count(text, ' ') >= 2;
  const bool date = text.size() >= 8 && text.size() <= 10 && std::ranges::count(text, '-') == 2;
  if (separated && marked && !date && digits.size() >= 7 && digits.size() <= 15) return PersonalKind::kPhone;
  return PersonalKind::kNone;
}

}  // namespace slipway::profile
