#include "serving/rest/media_type.h"

#include <algorithm>

#include "base/text.h"
#include "net/http_message.h"
#include "net/quality_list.h"

namespace slipway::serving::rest {
namespace {

struct Known {
  std::string_view name;
  BodyForm form;
};

constexpr Known kKnown[] = {
    {"application/json", BodyForm::kJson},
    {"text/json", BodyForm::kJson},
    {"application/x-ndjson", BodyForm::kJsonLines},
    {"application/ndjson", BodyForm::kJsonLines},
    {"application/jsonl", BodyForm::kJsonLines},
    {"application/jsonlines", BodyForm::kJsonLines},
    {"application/x-jsonlines", BodyForm::kJsonLines},
    {"text/csv", BodyForm::kCsv},
    {"application/csv", BodyForm::kCsv},
    // What curl -d says when nobody says otherwise; the body of such a call is JSON.
    {"application/x-www-form-urlencoded", BodyForm::kJson},
};

bool IsUtf8(std::string_view charset) {
  if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
    charset = charset.substr(1, charset.size() - 2);
  return net::EqualsIgnoreCase(charset, "utf-8") || net::EqualsIgnoreCase(charset, "utf8") ||
         net::EqualsIgnoreCase(charset, "us-ascii");
}

}  // namespace

std::optional<BodyForm> BodyFormOf(std::string_view content_type) {
  if (content_type.empty() || content_type == "application/json") return BodyForm::kJson;
  const size_t end = std::min(content_type.find(';'), content_type.size());
  const std::string_view name = base::Trim(content_type.substr(0, end));
  const auto known = std::ranges::find_if(kKnown, [&](const Known& k) { return net::EqualsIgnoreCase(k.name, name); });
  if (known == std::end(kKnown)) return std::nullopt;
  for (std::string_view rest = content_type.substr(end); !rest.empty();) {
    rest.remove_prefix(1);
    const size_t next = std::min(rest.find(';'), rest.size());
    const std::string_view parameter = base::Trim(rest.substr(0, next));
    rest.remove_prefix(next);
    const size_t equals = std::min(parameter.find('='), parameter.size());
    if (!net::EqualsIgnoreCase(parameter.substr(0, equals), "charset")) continue;
    if (!IsUtf8(parameter.substr(std::min(equals + 1, parameter.size())))) return std::nullopt;
  }
  return known->form;
}

namespace {

/// What Accept says of one form: the most specific range that matches decides.
struct Wish {
  BodyForm form;
  std::string_view media_type;
  int specificity = -1;
  int thousandths = 0;

  void Hear(const net::QualityItem& item, int of_specificity, std::string_view name = {}) {
    if (of_specificity < specificity || (of_specificity == specificity && item.thousandths <= thousandths)) return;
    specificity = of_specificity;
    thousandths = item.thousandths;
    if (!name.empty()) media_type = name;
  }
};

/// The media type to name in an answer to one who asked for `known`: that one, as a literal.
std::string_view AnswerName(const Known& known) {
  return known.form == BodyForm::kCsv || known.name.ends_with("urlencoded") ? MediaTypeOf(known.form) : known.name;
}

void Hear(const net::QualityItem& item, Wish& wish) {
  if (item.name == "*/*") wish.Hear(item, 0);
  const std::string_view family = wish.form == BodyForm::kCsv ? "text/*" : "application/*";
  if (net::EqualsIgnoreCase(item.name, family)) wish.Hear(item, 1);
  for (const Known& known : kKnown) {
    if (known.form == wish.form && net::EqualsIgnoreCase(item.name, known.name)) wish.Hear(item, 2, AnswerName(known));
  }
}

}  // namespace

std::optional<ChosenForm> ChooseForm(std::string_view accept, BodyForm natural) {
  if (accept.empty() || accept == "*/*") return ChosenForm{natural, MediaTypeOf(natural)};
  Wish wishes[] = {{natural, MediaTypeOf(natural)},
                   {BodyForm::kJson, MediaTypeOf(BodyForm::kJson)},
                   {BodyForm::kJsonLines, MediaTypeOf(BodyForm::kJsonLines)},
                   {BodyForm::kCsv, MediaTypeOf(BodyForm::kCsv)}};
  for (auto rest = accept; const auto item = net::NextQualityItem(rest);) {
    for (Wish& wish : wishes) Hear(*item, wish);
  }
  const Wish& best = *std::ranges::max_element(wishes, {}, &Wish::thousandths);  // the first of equals
  if (best.thousandths == 0) return std::nullopt;
  return ChosenForm{best.form, best.media_type};
}

std::string_view MediaTypeOf(BodyForm form) {
  switch (form) {
    case BodyForm::kJson:
      return "application/json";
    case BodyForm::kJsonLines:
      return "application/x-ndjson";
    case BodyForm::kCsv:
      return "text/csv; charset=utf-8";
  }
  return {};
}

}  // namespace slipway::serving::rest
