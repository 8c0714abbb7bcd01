// WordPiece: longest match first.
#pragma once

#include <concepts>
#include <string>
#include <unordered_set>

#include "rules.hpp"
#include "trie.hpp"

namespace specialize {

inline u32 characters_in(std::string_view text) {
  u32 n = 0;
  for (char c : text) n += (u8(c) & 0xc0) != 0x80;
  return n;
}

// Word-initial pieces and, without their prefix, continuing ones.
inline Trie trie_of(const std::vector<std::string>& pieces, const std::string& prefix) {
  std::vector<Trie::Key> keys;
  keys.reserve(pieces.size() * 2);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string_view piece = pieces[i];
    keys.push_back({piece, false, static_cast<int>(i)});
    if (piece.starts_with(prefix))
      keys.push_back({piece.substr(prefix.size()), true, static_cast<int>(i)});
  }
  return Trie(std::move(keys));
}

class WordPiece {
 public:
  // ``special``: ids of pieces that match words equal to them.
  WordPiece(std::vector<std::string> pieces, std::string prefix, int unk, u32 max_chars,
            const std::vector<int>& special)
      : pieces_(std::move(pieces)),
        prefix_(std::move(prefix)),
        unk_(unk),
        max_chars_(max_chars),
        known_(trie_of(pieces_, prefix_)) {
    require_ids(special, pieces_.size());
    require_ids({unk_}, pieces_.size());
    for (int id : special) specials_.add(pieces_[static_cast<std::size_t>(id)], id);
    close_alphabet();
  }

  const Specials& specials() const { return specials_; }
  const std::vector<std::string>& pieces() const { return pieces_; }
  int unk() const { return unk_; }
  int id(std::string_view piece) const { return known_.find(false, piece); }
  const Trie& known() const { return known_; }
  const std::string& prefix() const { return prefix_; }
  u32 max_chars() const { return max_chars_; }
  bool too_long(std::string_view word) const {
    return word.size() > max_chars_ && characters_in(word) > max_chars_;
  }

  // Whether pieces cover the word. If the alphabet is closed (each character is a piece, both
  // word-initial and continuing, as in mBERT), looking at the characters is enough.
  bool covers(std::string_view word, std::vector<int>& ids) const {
    // subtle: continuing pieces also begin words that contain the prefix itself
    if (alphabet_.empty() || has_prefix(word)) return cover(word, ids);
    const char *p = word.data(), *const end = p + word.size();
    for (u32 n; p < end; p += n) {
      const u32 c = character(p, n);
      if (!is_letter(c)) return apart_.contains(c) && cover(word, ids);
    }
    return !too_long(word) && !word.empty();
  }

  // Sets ``ids`` to the pieces of the word, or to [UNK] if they do not cover it.
  void segment(std::string_view word, std::vector<int>& ids) const {
    const auto* special = specials_.exactly(word);
    if (special || !cover(word, ids)) ids.assign(1, special ? special->second : unk_);
  }

  // Sets ``ids`` to the pieces; false if the word is unknown.
  bool cover(std::string_view word, std::vector<int>& ids) const {
    ids.clear();
    return cover(word, [&](Trie::Longest piece) { ids.push_back(known_.value(piece)); });
  }

  // Calls piece(found) for each piece; false if the word is unknown, possibly after some pieces.
  template <class F>
    requires std::invocable<F, Trie::Longest>
  bool cover(std::string_view word, F piece) const {
    if (too_long(word)) return false;
    const char *p = word.data(), *const begin = p, *const end = p + word.size();
    while (p < end) {
      const Trie::Longest found = known_.longest(p > begin, p, end);
      if (!found.end) return false;
      piece(found);
      p = found.end;
    }
    return p > begin;
  }

  // The number of pieces of the word, 0 if it is unknown.
  u64 count(std::string_view word) const {
    if (const auto* special = specials_.exactly(word)) return special->second != unk_;
    u64 n = 0;
    Trie::Longest last;
    const bool known = cover(word, [&](Trie::Longest piece) {
      last = piece;
      ++n;
    });
    return !known || (n == 1 && known_.value(last) == unk_) ? 0 : n;
  }

  // Calls lacking(character, index) for each character of a word without a piece of its form.
  template <class F>
  void unspelt(std::string_view word, F lacking) const {
    const char *p = word.data(), *const end = p + word.size();
    for (u32 i = 0, n; p < end; p += n, ++i) {
      const u32 c = character(p, n);
      if (!alphabet_.empty() && is_letter(c)) continue;
      if (known_.find(i > 0, {p, n}) < 0) lacking(c, i);
    }
  }

 private:
  // Sets the alphabet if it is closed; special pieces and [unusedN] are excluded.
  void close_alphabet() {
    std::vector<u64> letters(0x110000 / 64);
    std::vector<u32> apart;
    for (const std::string& piece : pieces_) {
      std::string_view text = piece;
      if (text.starts_with(prefix_)) text.remove_prefix(prefix_.size());
      const bool has_part = !specials_.exactly(piece) && !is_slot(piece);
      const char *p = text.data(), *const end = p + text.size();
      for (u32 n; p < end; p += n) {
        const u32 c = character(p, n);
        if (!has_part) {
          apart.push_back(c);
          continue;
        }
        u64& bits = letters[c / 64];
        if (bits >> (c % 64) & 1) continue;
        if (known_.find(false, {p, n}) < 0 || known_.find(true, {p, n}) < 0) return;
        bits |= u64{1} << (c % 64);
      }
    }
    alphabet_ = std::move(letters);
    for (u32 c : apart)
      if (!is_letter(c)) apart_.insert(c);
  }

  bool has_prefix(std::string_view word) const {
    return !prefix_.empty() && word.starts_with(prefix_[0]) && word.starts_with(prefix_);
  }
  bool is_letter(u32 c) const { return alphabet_[c / 64] >> (c % 64) & 1; }

  static bool is_slot(std::string_view piece) {
    constexpr std::string_view head = "[unused";
    if (!piece.starts_with(head) || !piece.ends_with(']')) return false;
    const std::string_view digits = piece.substr(head.size(), piece.size() - head.size() - 1);
    return !digits.empty() &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  std::vector<std::string> pieces_;
  std::string prefix_;
  int unk_;
  u32 max_chars_;
  Trie known_;
  Specials specials_;
  std::vector<u64> alphabet_;  // one bit per character; empty if not closed
  std::unordered_set<u32> apart_;  // characters that occur only in excluded pieces
};

}  // namespace specialize
