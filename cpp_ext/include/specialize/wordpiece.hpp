// WordPiece: the longest piece first; and how it is replaced where one vocabulary follows another.
#pragma once

#include <array>
#include <concepts>
#include <string>

#include "rules.hpp"
#include "trie.hpp"

namespace specialize {

inline u32 characters_in(std::string_view text) {
  u32 n = 0;
  for (char c : text) n += (u8(c) & 0xc0) != 0x80;
  return n;
}

// Pieces by their bytes, those that begin a word apart from those that go on inside one.
class Pieces {
 public:
  Pieces(const std::vector<std::string>& pieces, const std::string& prefix) {
    std::vector<std::pair<std::string, int>> keys;
    keys.reserve(pieces.size() * 2);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      keys.emplace_back(pieces[i], static_cast<int>(i));
      if (pieces[i].starts_with(prefix))
        keys.emplace_back(kInside + pieces[i].substr(prefix.size()), static_cast<int>(i));
    }
    std::sort(keys.begin(), keys.end());
    std::vector<std::string_view> texts;
    std::vector<int> values;
    for (const auto& [text, id] : keys) {
      texts.push_back(text);
      values.push_back(id);
    }
    trie_.build(texts, values);
    inside_ = trie_.step(Trie::kRoot, static_cast<u8>(kInside));
  }

  // Calls found(id, end) for each piece that stands at p, the shortest first.
  template <class F>
  void each(bool inside, const char* p, const char* end, F found) const {
    u32 node = root(inside);
    while (p < end && node != Trie::kNowhere) {
      node = trie_.step(node, static_cast<u8>(*p++));
      if (node == Trie::kNowhere) return;
      if (trie_.value(node) >= 0) found(trie_.value(node), p);
    }
  }

  // The piece spelt ``text``, its prefix left out if it stands inside; -1 if there is none.
  int find(bool inside, std::string_view text) const {
    const u32 node = root(inside);
    return node == Trie::kNowhere ? -1 : trie_.find(node, text);
  }

 private:
  static constexpr char kInside = static_cast<char>(0xff);  // no byte of UTF-8

  u32 root(bool inside) const { return inside ? inside_ : Trie::kRoot; }

  Trie trie_;
  u32 inside_;
};

class WordPiece {
 public:
  // ``special``: the ids of pieces that are themselves wherever a word is spelt like them.
  WordPiece(std::vector<std::string> pieces, std::string prefix, int unk, u32 max_chars,
            const std::vector<int>& special)
      : pieces_(std::move(pieces)),
        prefix_(std::move(prefix)),
        unk_(unk),
        max_chars_(max_chars),
        known_(pieces_, prefix_) {
    for (int id : special) specials_.add(pieces_[static_cast<std::size_t>(id)], id);
    close_alphabet();
  }

  const Specials& specials() const { return specials_; }
  const std::vector<std::string>& pieces() const { return pieces_; }
  int unk() const { return unk_; }
  int id(std::string_view piece) const { return known_.find(false, piece); }
  const Pieces& known() const { return known_; }
  const std::string& prefix() const { return prefix_; }
  bool too_long(std::string_view word) const {
    return word.size() > max_chars_ && characters_in(word) > max_chars_;
  }

  // Whether pieces cover the word. Where each character of the pieces is a piece itself, alone and
  // inside a word, as in mBERT's vocabulary, its characters tell without a look at the pieces.
  bool covers(std::string_view word, std::vector<int>& ids) const {
    // subtle: a piece that goes on inside a word also begins those that spell its prefix out
    const bool spelt_out = !prefix_.empty() && word.starts_with(prefix_);
    if (alphabet_.empty() || spelt_out) return cover(word, ids);
    const char *p = word.data(), *const end = p + word.size();
    for (u32 n; p < end; p += n) {
      const u32 c = decode(p, end, n);
      if (!(alphabet_[c / 64] >> (c % 64) & 1)) return may_hold_apart(word) && cover(word, ids);
    }
    return !too_long(word) && !word.empty();
  }

  // Calls piece(id) for each piece of the word: [UNK] alone where they do not cover it.
  template <class F>
  void segment(std::string_view word, std::vector<int>& ids, F piece) const {
    if (const auto* special = specials_.exactly(word)) return piece(special->second);
    if (!cover(word, ids)) return piece(unk_);
    for (int id : ids) piece(id);
  }

  // The same into ``ids``; false where the word is unknown.
  bool cover(std::string_view word, std::vector<int>& ids) const {
    ids.clear();
    return cover(word, [&](int id) { ids.push_back(id); });
  }

  // Calls piece(id) for each piece; false where the word is unknown, perhaps after some pieces.
  template <class F>
    requires std::invocable<F, int>
  bool cover(std::string_view word, F piece) const {
    if (too_long(word)) return false;
    const char *p = word.data(), *const begin = p, *const end = p + word.size();
    while (p < end) {
      const char* longest = nullptr;
      int last = -1;
      known_.each(p > begin, p, end, [&](int id, const char* to) {
        last = id;
        longest = to;
      });
      if (!longest) return false;
      piece(last);
      p = longest;
    }
    return p > begin;
  }

  // Calls lacking(character, index) for each character of a word that is no piece where it stands.
  template <class F>
  void unspelt(std::string_view word, F lacking) const {
    const char *p = word.data(), *const end = p + word.size();
    for (u32 i = 0, n; p < end; p += n, ++i) {
      const u32 c = decode(p, end, n);
      if (known_.find(i > 0, {p, n}) < 0) lacking(c, i);
    }
  }

 private:
  // Sets the alphabet if it is closed: special pieces and [unusedN] have no part in it, though a word
  // may hold them.
  void close_alphabet() {
    std::vector<u64> letters(0x110000 / 64);
    for (const std::string& piece : pieces_) {
      std::string_view text = piece;
      if (text.starts_with(prefix_)) text.remove_prefix(prefix_.size());
      if (specials_.exactly(piece) || is_slot(piece)) {
        for (std::string_view form : {std::string_view(piece), text})
          if (!form.empty()) apart_[static_cast<u8>(form[0])] = true;
        continue;
      }
      const char *p = text.data(), *const end = p + text.size();
      for (u32 n; p < end; p += n) {
        const u32 c = decode(p, end, n);
        u64& bits = letters[c / 64];
        if (bits >> (c % 64) & 1) continue;
        if (known_.find(false, {p, n}) < 0 || known_.find(true, {p, n}) < 0) return;
        bits |= u64{1} << (c % 64);
      }
    }
    alphabet_ = std::move(letters);
  }

  bool may_hold_apart(std::string_view word) const {
    return std::any_of(word.begin(), word.end(), [&](char c) { return apart_[static_cast<u8>(c)]; });
  }

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
  Pieces known_;
  Specials specials_;
  std::vector<u64> alphabet_;  // a bit for each character; empty if not closed
  std::array<bool, 256> apart_{};  // bytes that pieces without a part in it begin with
};

// The paper's count: by piece of the new vocabulary.
struct Replacements {
  std::vector<Seen> replaced;  // where the unit has fewer unknowns than under the old vocabulary
  std::vector<Seen> overall;

  explicit Replacements(std::size_t pieces) : replaced(pieces), overall(pieces) {}
};

// What entries consist of, whose unknowns are compared: an entry is one whole, or what Unicode's white
// space parts is, or each word.
enum class Unit { whole, token, word };

namespace replacing {

class Counter {
 public:
  Counter(const WordPiece& old, const WordPiece& now, const std::vector<int>& as_old, bool overall)
      : old_(old), now_(now), as_old_(as_old), overall_(overall), sums(now.pieces().size()) {}

  void word(std::string_view word, u64 offset) {
    if (after_.empty()) offset_ = offset;
    old_.segment(word, ids_, [&](int id) { before_.push_back(id); });
    now_.segment(word, ids_, [&](int id) { after_.push_back(id); });
  }

  // A unit of one word.
  void alone(std::string_view text, u64 count, u64 first) {
    if (old_.specials().exactly(text)) {
      word(text, 0);
    } else if (!old_.covers(text, ids_)) {
      offset_ = 0;
      before_.push_back(old_.unk());
      now_.segment(text, ids_, [&](int id) { after_.push_back(id); });
    } else {  // nothing of it is replaced
      return overall_ ? everywhere(text, count, first) : void();
    }
    close(count, first);
  }

  void special(const std::pair<std::string, int>& item, u64 offset) {
    if (after_.empty()) offset_ = offset;
    before_.push_back(item.second);
    after_.push_back(now_.id(item.first));
  }

  // The unit is whole: it occurs ``count`` times, first at ``first``.
  void close(u64 count, u64 first) {
    u32 place = 0;
    first += offset_;
    const bool better = std::count(before_.begin(), before_.end(), old_.unk()) >
                        std::count(after_.begin(), after_.end(), now_.unk());
    for (int id : after_) {
      const auto i = static_cast<std::size_t>(id);
      if (overall_) sums.overall[i].add(count, first, place);
      if (better && std::find(before_.begin(), before_.end(), as_old_[i]) == before_.end())
        sums.replaced[i].add(count, first, place);
      ++place;
    }
    before_.clear();
    after_.clear();
  }

 private:
  void everywhere(std::string_view text, u64 count, u64 first) {
    u32 place = 0;
    now_.segment(text, ids_, [&](int id) {
      sums.overall[static_cast<std::size_t>(id)].add(count, first, place++);
    });
  }

  const WordPiece &old_, &now_;
  const std::vector<int>& as_old_;  // new id -> old id of the same piece, or -2
  const bool overall_;
  std::vector<int> before_, after_, ids_;
  u64 offset_ = 0;

 public:
  Replacements sums;
};

// What an entry is split into.
struct Sink {
  Counter& to;
  const Entry& from;
  Unit unit;

  void word(std::string_view text, u64 offset) {
    if (unit == Unit::word)
      to.alone(text, from.count, from.first + offset);
    else
      to.word(text, offset);
  }
  void special(const std::pair<std::string, int>& item, u64 offset) { to.special(item, offset); }
  void gap() {
    if (unit == Unit::token) to.close(from.count, from.first);
  }
  void removed(u32, u64) {}
};

}  // namespace replacing

// A unit with fewer unknown pieces under ``now`` credits each occurrence of a piece that is not
// among its pieces under ``old``. Units are the words of ``table`` or, where ``rules`` are given,
// those of the white-space tokens in it, of which none may be hard. Without ``overall`` only what is
// replaced is counted: covered words need not be segmented.
inline Replacements replacements(const Table& table, const WordPiece& old, const WordPiece& now,
                                 const Rules* rules, Unit unit, bool overall, unsigned threads) {
  std::vector<int> as_old;
  for (const std::string& piece : now.pieces()) {
    const int id = old.id(piece);
    as_old.push_back(id < 0 ? -2 : id);
  }
  const Specials none;
  const Specials& specials = unit == Unit::word ? none : old.specials();
  std::vector<replacing::Counter> parts;
  parts.reserve(std::max(1u, threads));
  for (unsigned t = 0; t < std::max(1u, threads); ++t) parts.emplace_back(old, now, as_old, overall);
  each_partition(threads, [&](std::size_t p, unsigned t) {
    std::string buffer;
    table.parts[p].each([&](const Entry& e) {
      if (!rules) return parts[t].alone(e.view(), e.count, e.first);
      replacing::Sink sink{parts[t], e, unit};
      split(e.view(), *rules, specials, buffer, sink);
      if (unit != Unit::word) parts[t].close(e.count, e.first);
    });
  });
  Replacements all = std::move(parts[0].sums);
  for (std::size_t t = 1; t < parts.size(); ++t) {
    for (std::size_t i = 0; i < all.overall.size(); ++i) {
      all.overall[i].add(parts[t].sums.overall[i]);
      all.replaced[i].add(parts[t].sums.replaced[i]);
    }
  }
  return all;
}

}  // namespace specialize
