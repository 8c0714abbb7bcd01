// Pieces of one vocabulary that replace unknowns of another; reference implementation:
// specialize/vocab/wordpiece/replacements.py.
#pragma once

#include "wordpiece.hpp"

namespace specialize {

// The paper's count, by piece of the new vocabulary.
struct Replacements {
  std::vector<Seen> replaced;  // in units with fewer unknowns than under the old vocabulary
  std::vector<Seen> overall;

  explicit Replacements(std::size_t pieces) : replaced(pieces), overall(pieces) {}
};

// The units whose unknowns are compared: an entry, its parts between Unicode white space, or its
// words.
enum class Unit { whole, token, word };

namespace replacing {

class Counter {
 public:
  Counter(const WordPiece& old, const WordPiece& now, const std::vector<int>& as_old, bool overall)
      : old_(old), now_(now), as_old_(as_old), overall_(overall), sums(now.pieces().size()) {}

  void word(std::string_view word, u64 offset) {
    if (after_.empty()) offset_ = offset;
    old_.segment(word, ids_);
    before_.insert(before_.end(), ids_.begin(), ids_.end());
    now_.segment(word, ids_);
    after_.insert(after_.end(), ids_.begin(), ids_.end());
  }

  // A unit of one word.
  void alone(std::string_view text, u64 count, u64 first) {
    if (old_.specials().exactly(text)) {
      word(text, 0);
      close(count, first);
    } else if (const bool known = old_.covers(text, ids_); !known || overall_) {
      std::vector<int>& after = ids_;
      now_.segment(text, after);
      const bool whole = std::find(after.begin(), after.end(), now_.unk()) == after.end();
      for (u32 place = 0; place < after.size(); ++place) {
        const auto i = static_cast<std::size_t>(after[place]);
        if (overall_) sums.overall[i].add(count, first, place);
        if (!known && whole && as_old_[i] != old_.unk()) sums.replaced[i].add(count, first, place);
      }
    }
  }

  void special(const std::pair<std::string, int>& item, u64 offset) {
    if (after_.empty()) offset_ = offset;
    before_.push_back(item.second);
    after_.push_back(now_.id(item.first));
  }

  // The unit is complete: it occurs ``count`` times, first at ``first``.
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
  const WordPiece &old_, &now_;
  const std::vector<int>& as_old_;  // new id -> old id of the same piece, or -2
  const bool overall_;
  std::vector<int> before_, after_, ids_;
  u64 offset_ = 0;

 public:
  Replacements sums;
};

// Splits an entry into units.
struct Sink {
  Counter& to;
  const Entry& from;
  Unit unit;

  void word(std::string_view text, u64 offset) {
    if (unit == Unit::word)
      to.alone(text, from.count(), from.first() + offset);
    else
      to.word(text, offset);
  }
  void special(const std::pair<std::string, int>& item, u64 offset) { to.special(item, offset); }
  void gap() {
    if (unit == Unit::token) to.close(from.count(), from.first());
  }
  void removed(u32, u64) {}
};

}  // namespace replacing

// A unit with fewer unknown pieces under ``now`` credits each occurrence of a piece that it does
// not have under ``old``. Units are the words of ``table`` or, with ``rules``, those of its
// white-space tokens, none of which may be hard. Without ``overall`` only replacements are counted,
// so covered words are not segmented.
inline Replacements replacements(const Table& table, const WordPiece& old, const WordPiece& now,
                                 const Rules* rules, Unit unit, bool overall, unsigned threads) {
  std::vector<int> as_old;
  for (const std::string& piece : now.pieces()) {
    const int id = old.id(piece);
    as_old.push_back(id < 0 ? -2 : id);
  }
  const Specials none;
  const Specials& specials = unit == Unit::word ? none : old.specials();
  for (const auto& [piece, id] : specials.all())
    require(now.id(piece) >= 0, "a special piece is not in the new vocabulary");
  std::vector<replacing::Counter> parts;
  parts.reserve(std::max(1u, threads));
  for (unsigned t = 0; t < std::max(1u, threads); ++t)
    parts.emplace_back(old, now, as_old, overall);
  each_partition(threads, [&](std::size_t p, unsigned t) {
    std::string buffer;
    table.parts[p].each([&](const Entry& e) {
      if (!rules) return parts[t].alone(e.view(), e.count(), e.first());
      replacing::Sink sink{parts[t], e, unit};
      split(e.view(), *rules, specials, buffer, sink);
      if (unit != Unit::word) parts[t].close(e.count(), e.first());
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
