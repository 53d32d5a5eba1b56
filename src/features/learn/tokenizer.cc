#include "features/learn/tokenizer.h"

#include <utf8proc.h>

#include <algorithm>

namespace slipway::features {
namespace {

// One code point; a byte that begins none is taken alone, as code point -1.
struct Character {
  int32_t code = -1;
  uint32_t bytes = 1;
};

Character Next(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1};
  int32_t code = -1;
  const auto read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     static_cast<utf8proc_ssize_t>(text.size() - at), &code);
  return read <= 0 ? Character{} : Character{code, static_cast<uint32_t>(read)};
}

void Append(std::string& out, int32_t code) {
  utf8proc_uint8_t bytes[4];
  const auto written = utf8proc_encode_char(code, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(written));
}

// Python's \w: letters, digits and other numerals, and the underscore.
bool IsWord(int32_t code) {
  if (code < 0x80) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9') || code == '_';
  }
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

// Python's \s.
bool IsSpace(int32_t code) {
  return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20) || code == 0x85 || code == 0xa0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
         code == 0x205f || code == 0x3000;
}

bool IsCased(int32_t code) {
  const auto category = utf8proc_category(code);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT;
}

bool IsCaseIgnorable(int32_t code) {
  const auto category = utf8proc_category(code);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK || code == '\'' || code == '.' ||
         code == ':' || code == 0xb7 || code == 0x2019;
}

// Whether a capital sigma at `at` ends its word (Unicode's Final_Sigma): then it becomes the final form.
bool IsFinalSigma(std::string_view text, size_t at, int32_t last_cased) {
  if (last_cased < 0) return false;
  for (size_t next = at + 2; next < text.size();) {
    const Character c = Next(text, next);
    if (c.code < 0 || !IsCaseIgnorable(c.code)) return c.code < 0 || !IsCased(c.code);
    next += c.bytes;
  }
  return true;
}

std::string_view TrimSpace(std::string_view text) {
  size_t begin = text.size(), end = 0;
  for (size_t at = 0; at < text.size();) {
    const Character c = Next(text, at);
    if (!IsSpace(c.code)) {
      begin = std::min(begin, at);
      end = at + c.bytes;
    }
    at += c.bytes;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

}  // namespace

std::string_view Tokenizer::Fold(std::string_view text, TextMemory& memory) const {
  if (options_.trim) text = TrimSpace(text);
  std::string& out = memory.folded;
  out.clear();
  if (!options_.lowercase) {
    out = text;
    return out;
  }
  int32_t last_cased = -1;  // the nearest character before that is not ignorable, if it is cased
  for (size_t at = 0; at < text.size();) {
    const Character c = Next(text, at);
    if (c.code < 0) {
      out += text[at];
    } else if (c.code < 0x80) {
      out += static_cast<char>(c.code >= 'A' && c.code <= 'Z' ? c.code + 32 : c.code);
    } else if (c.code == 0x130) {
      out += "i\xcc\x87";
    } else if (c.code == 0x3a3) {
      Append(out, IsFinalSigma(text, at, last_cased) ? 0x3c2 : 0x3c3);
    } else {
      Append(out, utf8proc_tolower(c.code));
    }
    if (c.code < 0 || !IsCaseIgnorable(c.code)) last_cased = c.code >= 0 && IsCased(c.code) ? c.code : -1;
    at += c.bytes;
  }
  return out;
}

void Tokenizer::FindWords(std::string_view folded, Spans& words) const {
  words.clear();
  const auto close = [&](size_t begin, size_t end, int64_t characters) {
    if (characters < options_.word_length) return;
    if (!options_.stop_words.empty() &&
        std::ranges::binary_search(options_.stop_words, folded.substr(begin, end - begin)))
      return;
    words.emplace_back(static_cast<uint32_t>(begin), static_cast<uint32_t>(end));
  };
  size_t begin = 0;
  int64_t characters = 0;
  for (size_t at = 0; at < folded.size();) {
    const Character c = Next(folded, at);
    if (IsWord(c.code)) {
      if (characters++ == 0) begin = at;
    } else {
      close(begin, at, characters);
      characters = 0;
    }
    at += c.bytes;
  }
  close(begin, folded.size(), characters);
}

void Tokenizer::CollapseSpace(std::string& text) {
  size_t out = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    int run = 0;
    uint32_t bytes = 1;
    while (end < text.size()) {
      const Character c = Next(text, end);
      bytes = c.bytes;
      if (!IsSpace(c.code)) break;
      end += c.bytes;
      ++run;
    }
    if (run >= 2) {
      text[out++] = ' ';
    } else {
      if (run == 0) end = at + bytes;
      for (size_t i = at; i < end; ++i) text[out++] = text[i];
    }
    at = end;
  }
  text.resize(out);
}

void Tokenizer::FindCharacters(std::string_view text, Spans& characters) {
  characters.clear();
  for (size_t at = 0; at < text.size();) {
    const uint32_t bytes = Next(text, at).bytes;
    characters.emplace_back(static_cast<uint32_t>(at), static_cast<uint32_t>(at + bytes));
    at += bytes;
  }
}

bool Tokenizer::NextPadded(std::string_view text, size_t& at, std::string& padded) {
  padded = ' ';
  while (at < text.size()) {
    const Character c = Next(text, at);
    if (IsSpace(c.code)) {
      if (padded.size() > 1) break;
    } else {
      padded += text.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  if (padded.size() == 1) return false;
  padded += ' ';
  return true;
}

}  // namespace slipway::features
