#pragma once
// Tokenizer cuts a text into the n-grams that scikit-learn's CountVectorizer would: same case folding, same words, same
// order.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "features/step.h"

namespace slipway::features {

struct TokenOptions {
  enum class Unit : uint8_t {
    kWord,             ///< runs of letters, digits and _, at least two of them (the pattern \b\w\w+\b)
    kCharacter,        ///< characters across the whole text
    kCharacterInWord,  ///< characters inside words padded with a space ("char_wb")
  };
  bool lowercase = true;
  bool trim = false;
  Unit unit = Unit::kWord;
  int64_t shortest = 1;  ///< n-grams of shortest to longest units
  int64_t longest = 1;
  int64_t word_length = 2;
  std::vector<std::string> stop_words;  ///< sorted; of words, after case folding
};

/// Thread-safety: const access; each thread brings its own TextMemory, which a warm run does not grow.
class Tokenizer {
 public:
  explicit Tokenizer(TokenOptions options) : options_(std::move(options)) {}

  /// Case and outer white space as the options say. The answer lives in `memory`. Invalid UTF-8 is kept as it is.
  std::string_view Fold(std::string_view text, TextMemory& memory) const;

  /// Calls `visit` with each n-gram of the folded text; repeated ones are repeated. The argument dies with the call.
  template <typename Visit>
  void ForEach(std::string_view text, TextMemory& memory, Visit visit) const {
    const std::string_view folded = Fold(text, memory);
    if (options_.unit == TokenOptions::Unit::kWord) {
      FindWords(folded, memory.spans);
      WordGrams(folded, memory, visit);
    } else if (options_.unit == TokenOptions::Unit::kCharacter) {
      CollapseSpace(memory.folded);
      CharacterGrams(memory.folded, memory, false, visit);
    } else {
      CollapseSpace(memory.folded);
      for (size_t at = 0; NextPadded(memory.folded, at, memory.gram);) CharacterGrams(memory.gram, memory, true, visit);
    }
  }

 private:
  using Spans = std::vector<std::pair<uint32_t, uint32_t>>;

  void FindWords(std::string_view folded, Spans& words) const;
  static void CollapseSpace(std::string& text);
  static void FindCharacters(std::string_view text, Spans& characters);
  /// The next word between white space, with a space at both ends.
  static bool NextPadded(std::string_view text, size_t& at, std::string& padded);

  template <typename Visit>
  void WordGrams(std::string_view folded, TextMemory& memory, Visit& visit) const {
    const Spans& words = memory.spans;
    const auto word = [&](size_t i) { return folded.substr(words[i].first, words[i].second - words[i].first); };
    for (int64_t n = options_.shortest; n <= options_.longest && n <= static_cast<int64_t>(words.size()); ++n) {
      for (size_t i = 0; i + static_cast<size_t>(n) <= words.size(); ++i) {
        if (n == 1) {
          visit(word(i));
          continue;
        }
        memory.gram = word(i);
        for (size_t j = 1; j < static_cast<size_t>(n); ++j) {
          memory.gram += ' ';
          memory.gram += word(i + j);
        }
        visit(std::string_view(memory.gram));
      }
    }
  }

  template <typename Visit>
  void CharacterGrams(std::string_view text, TextMemory& memory, bool short_once, Visit& visit) const {
    FindCharacters(text, memory.spans);
    const Spans& characters = memory.spans;
    const auto count = static_cast<int64_t>(characters.size());
    for (int64_t n = options_.shortest; n <= options_.longest; ++n) {
      if (n >= count) {  // the whole text; inside words even when it is shorter, but once
        if (n == count || short_once) visit(text);
        if (n > count || short_once) return;
        continue;
      }
      for (int64_t i = 0; i + n <= count; ++i) {
        const uint32_t begin = characters[static_cast<size_t>(i)].first,
                       end = characters[static_cast<size_t>(i + n - 1)].second;
        visit(text.substr(begin, end - begin));
      }
    }
  }

  TokenOptions options_;
};

}  // namespace slipway::features
