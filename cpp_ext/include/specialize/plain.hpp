// Tokens that consist of letters and punctuation only, as most do, are read without a look at all
// that others may hold.
#pragma once

#include "wordpiece.hpp"

namespace specialize {

class Plain {
 public:
  struct Sums {  // of known words
    u32 words = 0, pieces = 0, continued = 0;
  };

  Plain(const WordPiece& vocabulary, const Rules& rules)
      : trie_(vocabulary.known()),
        rules_(rules),
        longest_(std::min(kLongest, vocabulary.max_chars())) {
    trie_.letters().each([&](u32 c, u32 letter) { letters_.set(c, as_ruled(c, letter)); });
    const auto leave = [&](const std::string& piece) {  // what may be one is not plain
      u32 width;
      if (!piece.empty()) letters_.set(character(piece.data(), width), kOther);
    };
    for (const auto& [piece, id] : vocabulary.specials().all()) leave(piece);
    if (const int unk = vocabulary.unk(); unk >= 0)
      leave(vocabulary.pieces()[static_cast<std::size_t>(unk)]);
  }

  // Returns whether the token is plain. If so, adds its known words to ``sums`` and calls
  // unknown(word, offset) for each of the others.
  template <class F>
  bool read(const Entry& token, Sums& sums, F unknown) const {
    Spelt spelt;
    const std::string_view text = token.view();
    if (text.size() > longest_ || !spell(text, spelt)) return false;
    for (u32 i = 0; i < spelt.n; ++i) {
      if (!spelt.letters[i]) continue;
      const u32 begin = i;
      const bool letters = !spelt.any_unknown || spelt.known(i);
      const u32* at = spelt.letters + begin;
      const u32 pieces = letters ? trie_.spell(at) : 0;
      if (pieces) {
        i = static_cast<u32>(at - spelt.letters);
        ++sums.words;
        sums.pieces += pieces;
        sums.continued += pieces > 1;
      } else {
        while (spelt.letters[i]) ++i;
        const u32 from = spelt.places[begin], to = spelt.places[i];
        unknown(text.substr(from, to - from), from);
      }
    }
    return true;
  }

 private:
  static constexpr u32 kLongest = 96;
  static constexpr u32 kAlone = u32{1} << 31;    // a word of its own
  static constexpr u32 kUnknown = u32{1} << 30;  // no letter of the vocabulary
  static constexpr u32 kOther = u32{1} << 29;    // not plain

  struct Spelt {  // the words of a token
    u32 n = 0;
    bool any_unknown = false;
    u32 letters[3 * kLongest + 1];  // 0 behind each word, perhaps twice
    u32 places[3 * kLongest + 1];    // where in the token each stands

    bool known(u32 i) const {
      for (; letters[i]; ++i)
        if (letters[i] & kUnknown) return false;
      return true;
    }
  };

  u32 as_ruled(u32 c, u32 letter) const {
    const Rule rule = rules_.of(c);
    if (rule == Rule::keep) return letter;
    return rule == Rule::alone ? letter | kAlone : kOther;
  }

  bool spell(std::string_view text, Spelt& to) const {
    const char* const begin = text.data();
    const u32 size = static_cast<u32>(text.size());
    u32 n = 0, all = 0;
    for (u32 at = 0, width; at < size; at += width) {
      const u32 c = character(begin + at, width);
      u32 letter = letters_.of(c);
      if (!letter) letter = as_ruled(c, kUnknown);
      all |= letter;
      if (letter & kAlone) {
        to.letters[n] = 0;
        to.places[n++] = at;
        to.letters[n] = letter & ~kAlone;
        to.places[n++] = at;
        to.letters[n] = 0;
        to.places[n++] = at + width;
      } else {
        to.letters[n] = letter;
        to.places[n++] = at;
      }
    }
    to.letters[n] = 0;
    to.places[n] = size;
    to.n = n;
    to.any_unknown = all & kUnknown;
    return !(all & kOther);
  }

  const Trie& trie_;
  const Rules& rules_;
  Letters letters_;  // with the marks above
  const u32 longest_;
};

}  // namespace specialize
