// Which tokens hold no unknown word, told by a look at their characters.
#pragma once

#include "valid.hpp"
#include "wordpiece.hpp"

namespace specialize {

// Those whose characters are all letters of a closed alphabet, which no rule changes. Of others
// nothing is told.
class Harmless {
 public:
  Harmless(const WordPiece& vocabulary, const Rules& rules) : longest_(vocabulary.max_chars()) {
    const std::vector<u64>& alphabet = vocabulary.alphabet();
    if (alphabet.empty()) return;
    letters_.assign(alphabet.begin(), alphabet.begin() + kCharacters / 64);
    for (u32 c = 0; c < kCharacters; ++c) {
      if (!letters_[c / 64]) c |= 63;
      else if (rules.of(c) != Rule::keep && rules.of(c) != Rule::alone) clear(c);
    }
    if (const int unk = vocabulary.unk(); unk >= 0) {  // what is spelt like it may be unknown
      const std::string_view piece = vocabulary.pieces()[static_cast<std::size_t>(unk)];
      const std::string& prefix = vocabulary.prefix();
      clear_first(piece);
      if (piece.starts_with(prefix)) clear_first(piece.substr(prefix.size()));
    }
  }

  // Whether there are letters.
  bool tells() const { return !letters_.empty(); }
  bool letter(u32 c) const { return c < kCharacters && letters_[c / 64] >> (c % 64) & 1; }
  u32 longest() const { return longest_; }  // bytes of a token, of which no more are needed

  bool holds(const Entry& e) const {
    const std::string_view token = e.view();
    if (!tells() || token.size() > longest_ || !valid(e)) return false;
    const char *p = token.data(), *const end = p + token.size();
    for (u32 n; p < end; p += n)
      if (!letter(sound_character(p, n))) return false;
    return true;
  }

  static constexpr u32 kCharacters = 0x10000;  // those above are no letters here

 private:
  void clear_first(std::string_view text) {
    u32 n;
    if (!text.empty()) clear(decode(text.data(), text.data() + text.size(), n));
  }
  void clear(u32 c) {
    if (c < kCharacters) letters_[c / 64] &= ~(u64{1} << (c % 64));
  }

  std::vector<u64> letters_;
  u32 longest_;
};

}  // namespace specialize
