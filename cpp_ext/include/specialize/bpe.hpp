// Byte-level BPE: units are split into words by GPT-2's or cl100k's pattern; words are merged by
// rank.
//
// Reference: the tokenizers library, which also gives the classes of characters (letters, numbers,
// white space).
#pragma once

#include <limits>
#include <unordered_set>
#include <utility>

#include "units.hpp"

namespace specialize {

enum class Kind : u8 { other, letter, number, space };

// The pattern that splits a unit into words.
struct Pattern {
  bool any_case;        // of contractions such as 's
  bool one_before;      // a word of letters takes any character before it, not only a space
  bool lines;           // line ends are separate words, and join preceding symbols
  std::size_t numbers;  // maximal digits in a word
  bool space_first;     // a space is prepended to a text without one
};

class ByteBpe {
 public:
  struct Merge {
    u32 left, right, made;  // ids
  };

  // ``bytes``: the ids of the 256; ``merges`` by rank; ``whole``: words matched before merging.
  ByteBpe(const u32* bytes, const std::vector<Merge>& merges, std::vector<std::string> whole)
      : bytes_(bytes, bytes + 256), whole_(std::make_move_iterator(whole.begin()),
                                           std::make_move_iterator(whole.end())) {
    std::size_t size = 16;
    while (size < merges.size() * 2) size *= 2;
    slots_.resize(size);
    for (u32 rank = 0; rank < merges.size(); ++rank) {
      Slot& slot = slot_of(merges[rank].left, merges[rank].right);
      slot = {key(merges[rank].left, merges[rank].right), rank, merges[rank].made};
    }
  }

  // The pieces of a word.
  std::size_t pieces(std::string_view word, std::vector<u32>& ids, std::vector<u32>& ranks) const {
    if (!whole_.empty() && whole_.contains(std::string(word))) return 1;
    ids.clear();
    for (char c : word) ids.push_back(bytes_[u8(c)]);
    ranks.assign(ids.size(), kNone);
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) ranks[i] = rank(ids[i], ids[i + 1]);
    std::size_t n = ids.size();
    while (n > 1) {
      const auto best = static_cast<std::size_t>(
          std::min_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(n - 1)) -
          ranks.begin());
      if (ranks[best] == kNone) break;
      ids[best] = slot_of(ids[best], ids[best + 1]).made;
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
      ranks.erase(ranks.begin() + static_cast<std::ptrdiff_t>(best) + 1);
      --n;
      if (best) ranks[best - 1] = rank(ids[best - 1], ids[best]);
      ranks[best] = best + 1 < n ? rank(ids[best], ids[best + 1]) : kNone;
    }
    return n;
  }

 private:
  static constexpr u32 kNone = std::numeric_limits<u32>::max();

  struct Slot {
    u64 key = ~u64{0};
    u32 rank = kNone, made = 0;
  };

  static u64 key(u32 left, u32 right) { return u64{left} << 32 | right; }

  // The pair's slot, or the free slot for it.
  const Slot& slot_of(u32 left, u32 right) const {
    const u64 wanted = key(left, right);
    std::size_t i = fold(wanted, 0x9e3779b97f4a7c15ull) & (slots_.size() - 1);
    while (slots_[i].key != wanted && slots_[i].key != ~u64{0}) i = (i + 1) & (slots_.size() - 1);
    return slots_[i];
  }
  Slot& slot_of(u32 left, u32 right) {
    return const_cast<Slot&>(std::as_const(*this).slot_of(left, right));
  }
  u32 rank(u32 left, u32 right) const { return slot_of(left, right).rank; }

  std::vector<u32> bytes_;
  std::unordered_set<std::string> whole_;
  std::vector<Slot> slots_;
};

namespace words_of_bytes {

struct Character {
  u32 code;
  u32 begin;  // byte
  Kind kind;
};

// Splits one text into words.
class Cutter {
 public:
  Cutter(const Pattern& pattern, const std::string& kinds) : pattern_(pattern), kinds_(kinds) {}

  // Calls word(begin, end) for each word, in bytes.
  template <class F>
  void each(std::string_view text, F word) {
    read(text);
    for (std::size_t i = 0; i + 1 < all_.size();) {
      const std::size_t end = next(i);
      word(all_[i].begin, all_[end].begin);
      i = end;
    }
  }

 private:
  void read(std::string_view text) {
    all_.clear();
    const char *p = text.data(), *const end = p + text.size();
    for (u32 n; p < end; p += n) {
      const u32 c = character(p, n);
      const Kind kind = c < kinds_.size() ? static_cast<Kind>(kinds_[c]) : Kind::other;
      all_.push_back({c, static_cast<u32>(p - text.data()), kind});
    }
    all_.push_back({0, static_cast<u32>(text.size()), Kind::other});
  }

  bool is(std::size_t i, Kind kind) const { return i + 1 < all_.size() && all_[i].kind == kind; }
  bool line_end(std::size_t i) const {
    return i + 1 < all_.size() && (all_[i].code == '\r' || all_[i].code == '\n');
  }
  std::size_t run(std::size_t i, Kind kind) const {
    while (is(i, kind)) ++i;
    return i;
  }

  // The end of the word that begins at i: the pattern's alternatives in order.
  std::size_t next(std::size_t i) const {
    if (const std::size_t n = ending(i)) return i + n;
    const std::size_t spaced = i + (all_[i].code == ' ');
    if (is(i, Kind::letter)) return run(i, Kind::letter);
    const bool before = pattern_.one_before ? !is(i, Kind::number) && !line_end(i)
                                            : all_[i].code == ' ';
    if (before && is(i + 1, Kind::letter)) return run(i + 1, Kind::letter);
    const std::size_t digits = pattern_.one_before ? i : spaced;
    if (is(digits, Kind::number))
      return digits + std::min(run(digits, Kind::number) - digits, pattern_.numbers);
    if (is(spaced, Kind::other)) {
      std::size_t end = run(spaced, Kind::other);
      while (pattern_.lines && line_end(end)) ++end;
      return end;
    }
    return white_space(i);
  }

  std::size_t white_space(std::size_t i) const {
    const std::size_t end = std::max(run(i, Kind::space), i + 1);
    if (pattern_.lines)
      for (std::size_t last = end; last > i; --last)
        if (line_end(last - 1)) return last;
    return end + 1 < all_.size() && end > i + 1 ? end - 1 : end;
  }

  // The length of 's, 't, 're, 've, 'm, 'll or 'd at i.
  std::size_t ending(std::size_t i) const {
    if (all_[i].code != '\'') return 0;
    const u32 a = letter(i + 1), b = a ? letter(i + 2) : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
  }
  u32 letter(std::size_t i) const {
    if (i + 1 >= all_.size()) return 0;
    const u32 c = all_[i].code;
    if (!pattern_.any_case) return c;
    return c >= 'A' && c <= 'Z' ? c + 32 : c == kLongS ? 's' : c;
  }

  static constexpr u32 kLongS = 0x17f;  // its capital is S

  const Pattern& pattern_;
  const std::string& kinds_;
  std::vector<Character> all_;
};

}  // namespace words_of_bytes

// Totals of units. In the rest: units with special pieces, or words of kLongest bytes.
class BpeCount {
 public:
  static constexpr u32 kLongest = 512;

  BpeCount(const Table& units, const ByteBpe& bpe, const Pattern& pattern,
           const std::string& kinds, const Contents& special)
      : units_(units), bpe_(bpe), pattern_(pattern), kinds_(kinds), special_(special) {}

  UnitAudit run(unsigned threads) const {
    threads = std::max(1u, threads);
    std::vector<UnitAudit> sums(threads);
    std::vector<Table> words(threads);
    each_partition(threads, [&](std::size_t p, unsigned t) { cut(p, words[t], sums[t]); });
    Table all;
    merge(all, words, threads);
    each_partition(threads, [&](std::size_t p, unsigned t) { merge_words(all.parts[p], sums[t]); });
    return UnitAudit::sum(std::move(sums));
  }

 private:
  void cut(std::size_t p, Table& words, UnitAudit& sum) const {
    words_of_bytes::Cutter cutter(pattern_, kinds_);
    std::vector<std::pair<u32, u32>> found;
    std::string buffer;
    units_.parts[p].each([&](const Entry& e) {
      std::string_view text = sum.measure(e);
      bool hard = special_.in(text);
      if (pattern_.space_first && text[0] != ' ') text = buffer.assign(1, ' ').append(text);
      found.clear();
      cutter.each(text, [&](u32 begin, u32 end) {
        hard = hard || end - begin >= kLongest;
        found.emplace_back(begin, end);
      });
      if (hard) return sum.rest.push_back(&e);
      for (auto [begin, end] : found) words.add(text.substr(begin, end - begin), e.count(), 0);
    });
  }

  void merge_words(const Partition& words, UnitAudit& sum) const {
    std::vector<u32> ids, ranks;
    words.each([&](const Entry& e) {
      const std::size_t n = bpe_.pieces(e.view(), ids, ranks);
      sum.words += e.count();
      sum.pieces += e.count() * n;
      sum.continued += n > 1 ? e.count() : 0;
    });
  }

  const Table& units_;
  const ByteBpe& bpe_;
  const Pattern& pattern_;
  const std::string& kinds_;
  const Contents& special_;
};

}  // namespace specialize
