#include "storage/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace slipway::storage::s3 {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
constexpr size_t kLongestEntity = 10;
constexpr std::string_view kSpace = " \t\r\n";

void AppendUtf8(std::string& text, uint32_t point) {
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

/// What stands between & and ; is one character.
bool AppendEntity(std::string& text, std::string_view name) {
  for (const auto& [known, character] : kEntities) {
    if (name != known) continue;
    text += character;
    return true;
  }
  if (!name.starts_with('#')) return false;
  name.remove_prefix(1);
  const bool hexadecimal = name.starts_with('x');
  if (hexadecimal) name.remove_prefix(1);
  uint32_t point = 0;
  for (const char c : name) {
    const int digit = base::HexDigit(c);
    if (digit < 0 || (!hexadecimal && digit > 9)) return false;
    point = point * (hexadecimal ? 16 : 10) + static_cast<uint32_t>(digit);
    if (point > 0x10FFFF) return false;
  }
  if (name.empty() || point == 0 || (point >= 0xD800 && point < 0xE000)) return false;
  AppendUtf8(text, point);
  return true;
}

class Reading {
 public:
  using OnElement = std::function<void(std::string_view, std::string_view)>;
  Reading(std::string_view xml, const OnElement& on_element) : all_(xml), rest_(xml), on_element_(on_element) {}

  base::Result<void> Run() {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    while (!rest_.empty()) {
      if (const auto fault = rest_.front() == '<' ? TakeMarkup() : TakeText()) return Fault(*fault);
    }
    if (!open_.empty()) return Fault("it ends within an element");
    if (!begun_) return Fault("there is no element");
    return {};
  }

 private:
  struct Open {
    size_t path = 0;  ///< length of the path before it
    std::string text;
  };
  using Problem = std::optional<std::string_view>;

  base::Result<void> Fault(std::string_view what) const {
    return base::Fail(base::Code::kDataLoss, "storage.answer",
                      fmt::format("the answer is no XML at byte {}: {}", all_.size() - rest_.size(), what));
  }

  Problem TakeText() {
    const auto text = rest_.substr(0, rest_.find('<'));
    if (open_.empty()) {
      if (text.find_first_not_of(kSpace) != std::string_view::npos) return "there is text outside of elements";
      rest_.remove_prefix(text.size());
      return {};
    }
    auto& into = open_.back().text;
    for (auto left = text; !left.empty();) {
      const auto plain = left.substr(0, left.find('&'));
      into += plain;
      left.remove_prefix(plain.size());
      if (left.empty()) break;
      const auto end = left.substr(0, kLongestEntity + 2).find(';');
      if (end == std::string_view::npos || !AppendEntity(into, left.substr(1, end - 1))) return "an unknown entity";
      left.remove_prefix(end + 1);
    }
    rest_.remove_prefix(text.size());
    return {};
  }

  Problem TakeMarkup() {
    if (rest_.starts_with("<?")) return PassOver("?>");
    if (rest_.starts_with("<!--")) return PassOver("-->");
    if (rest_.starts_with("<![CDATA[") && !open_.empty()) {
      const auto end = rest_.find("]]>");
      if (end == std::string_view::npos) return "a section has no end";
      open_.back().text += rest_.substr(9, end - 9);
      rest_.remove_prefix(end + 3);
      return {};
    }
    if (rest_.starts_with("<!")) return "document types are not read";
    return rest_.starts_with("</") ? TakeEnd() : TakeBegin();
  }

  Problem PassOver(std::string_view end) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos) return "a comment or instruction has no end";
    rest_.remove_prefix(at + end.size());
    return {};
  }

  /// A name without its prefix.
  std::string_view TakeName() {
    const auto name = rest_.substr(0, rest_.find_first_of(" \t\r\n/><=\"'&"));
    rest_.remove_prefix(name.size());
    return name.substr(name.find(':') + 1);
  }

  Problem TakeBegin() {
    rest_.remove_prefix(1);
    if (open_.empty() && begun_) return "there is a second element outside of the first";
    if (open_.size() == kMostXmlDepth) return "elements lie too deep in each other";
    const auto name = TakeName();
    if (name.empty()) return "an element has no name";
    begun_ = true;
    open_.push_back({.path = path_.size(), .text = {}});
    if (!path_.empty()) path_ += '/';
    path_ += name;
    while (true) {  // attributes
      const auto stop = rest_.find_first_of("\"'<>");
      if (stop == std::string_view::npos || rest_[stop] == '<') return "an element's begin has no end";
      if (rest_[stop] == '>') {
        const bool closed = stop > 0 && rest_[stop - 1] == '/';
        rest_.remove_prefix(stop + 1);
        if (closed) Close();
        return {};
      }
      const auto quote = rest_.find(rest_[stop], stop + 1);
      if (quote == std::string_view::npos) return "a quote has no end";
      rest_.remove_prefix(quote + 1);
    }
  }

  Problem TakeEnd() {
    rest_.remove_prefix(2);
    const auto name = TakeName();
    rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(kSpace)));
    if (open_.empty() || std::string_view(path_).substr(path_.rfind('/') + 1) != name) return "another element ends";
    if (!rest_.starts_with('>')) return "an element's end has no end";
    rest_.remove_prefix(1);
    Close();
    return {};
  }

  void Close() {
    on_element_(path_, open_.back().text);
    path_.resize(open_.back().path);
    open_.pop_back();
  }

  std::string_view all_, rest_;
  const OnElement& on_element_;
  std::vector<Open> open_;
  std::string path_;
  bool begun_ = false;
};

}  // namespace

base::Result<void> ReadXml(std::string_view xml,
                           const std::function<void(std::string_view path, std::string_view text)>& on_element) {
  return Reading(xml, on_element).Run();
}

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    bool named = false;
    for (const auto& [name, character] : kEntities) {
      if (c != character) continue;
      escaped += fmt::format("&{};", name);
      named = true;
    }
    if (!named) escaped += c;
  }
  return escaped;
}

}  // namespace slipway::storage::s3
