// The pieces of a vocabulary as a double-array trie over characters: one memory access per step.
//
// A cell stores the letter it is reached by, not its parent: no two parents share a base, so the
// letter is enough, and cells are small.
#pragma once

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "letters.hpp"
#include "require.hpp"

namespace specialize {

class Trie {
 public:
  struct Key {
    std::string_view text;  // UTF-8
    bool inside;            // under the second root
    int value;
  };

  // The longest key at the start of a text.
  struct Longest {
    const char* end = nullptr;  // nullptr: none
    u32 cell = 0;
  };

  // Keys under one root are distinct; an empty key is never found.
  explicit Trie(std::vector<Key> keys);

  // Calls found(value, end) for each key at p, shortest first.
  template <class F>
  void each(bool inside, const char* p, const char* end, F found) const {
    walk(inside, p, end, [&](u32 cell, const char* to, bool ends) {
      if (ends) found(values_[cell], to);
    });
  }

  Longest longest(bool inside, const char* p, const char* end) const {
    Longest last;
    walk(inside, p, end, [&](u32 cell, const char* to, bool ends) {
      // subtle: a conditional move, because a branch would be unpredictable
      last.end = ends ? to : last.end;
      last.cell = ends ? cell : last.cell;
    });
    return last;
  }

  int value(const Longest& key) const { return values_[key.cell]; }

  // The value of the key, -1 if there is none.
  int find(bool inside, std::string_view text) const {
    const char* const end = text.data() + text.size();
    const Longest key = longest(inside, text.data(), end);
    return key.end == end && !text.empty() ? value(key) : -1;
  }

 private:
  struct Cell {
    u32 base = 0;            // children are at base ^ letter
    u32 mark = 0xffffffff;  // the letter it is reached by; lowest bit: a key ends here

    u32 letter() const { return mark >> 1; }
    bool ends() const { return mark & 1; }
    bool free() const { return mark == 0xffffffff; }
  };

  class Builder;
  static void sort(std::vector<Key>& keys);

  template <class F>
  void walk(bool inside, const char* p, const char* end, F passed) const {
    u32 base = roots_[inside];
    while (p < end) {
      u32 n;
      const u32 letter = letters_.of(character(p, n));
      const u32 at = base ^ letter;
      const Cell& cell = cells_[at];
      if (cell.letter() != letter) return;
      p += n;
      passed(at, p, cell.ends());
      base = cell.base;
    }
  }

  Letters letters_;
  std::vector<Cell> cells_;
  std::vector<int> values_;  // for cells where a key ends
  u32 roots_[2];             // their bases
};

// Inserts the keys depth first; the children of a node go to free cells.
class Trie::Builder {
 public:
  // ``keys`` are sorted; ``letters``: number of letters.
  Builder(Trie& to, const std::vector<Key>& keys, u32 letters)
      : to_(to), cells_(to.cells_), block_(std::bit_ceil(std::max(letters, kPart))) {
    u32 outside = 0;
    for (const Key& key : keys) {
      if (key.text.empty()) continue;
      outside += !key.inside;
      spelt_.push_back({static_cast<u32>(spelling_.size()), key.value});
      each_character(key.text, [&](u32 c) { spelling_.push_back(to.letters_.of(c)); });
    }
    spelt_.push_back({static_cast<u32>(spelling_.size()), 0});
    grow();  // subtle: cells without children have base 0, so nothing may be placed there
    next_[0] = prev_[0] = 0;
    bases_[0] = true;
    to_.roots_[0] = place(0, outside, 0);
    to_.roots_[1] = place(outside, static_cast<u32>(spelt_.size()) - 1, 0);
  }

 private:
  static constexpr unsigned kTries = 32;
  static constexpr u32 kPart = 256, kMost = u32{1} << 30;

  struct Spelt {
    u32 begin;  // of its letters
    int value;
  };
  struct Child {
    u32 letter, first;  // of its keys
  };

  // Places the children of the node with keys [from, to), each longer than ``depth`` letters;
  // returns its base.
  u32 place(u32 from, u32 to, u32 depth) {
    if (from == to) return 0;
    const std::size_t begin = children_.size();
    for (u32 i = from; i < to; ++i) {
      const u32 letter = spelling_[spelt_[i].begin + depth];
      if (children_.size() == begin || children_.back().letter != letter)
        children_.push_back({letter, i});
    }
    const std::size_t end = children_.size();
    const u32 base = room_for(begin, end);
    bases_[base] = true;
    for (std::size_t k = begin; k < end; ++k) take(base ^ children_[k].letter, children_[k].letter);
    for (std::size_t k = begin; k < end; ++k) {
      const auto [letter, first] = children_[k];
      const u32 last = k + 1 < end ? children_[k + 1].first : to;
      const bool ends = spelt_[first + 1].begin - spelt_[first].begin == depth + 1;
      Cell& cell = cells_[base ^ letter];
      cell.mark |= u32{ends};
      if (ends) to_.values_[base ^ letter] = spelt_[first].value;
      const u32 below = place(first + ends, last, depth + 1);
      cells_[base ^ letter].base = below;  // ``cell`` may have moved
    }
    children_.resize(begin);
    return base;
  }

  // A base whose cells for children [begin, end) are free.
  u32 room_for(std::size_t begin, std::size_t end) {
    unsigned tries = 0;
    for (u32 cell = next_[0]; cell != 0; cell = next_[cell]) {
      const u32 base = cell ^ children_[begin].letter;
      if (fits(base, begin, end)) return base;
      if (++tries < kTries) continue;
      unlink(next_[0]);  // prefer a larger array to a long search
      break;
    }
    const u32 lowest = children_[begin].letter, highest = children_[end - 1].letter;
    const u32 part = std::max(kPart, std::bit_ceil((lowest ^ highest) + 1));
    u32& fresh = fresh_[std::countr_zero(part)];
    for (fresh = std::max(fresh, block_);; fresh += part) {
      while (fresh + part > cells_.size()) grow();
      for (u32 base = fresh ^ (lowest & ~(part - 1)), k = 0; k < part; k += part / kPart)
        if (fits(base ^ k, begin, end)) return base ^ k;
    }
  }

  bool fits(u32 base, std::size_t begin, std::size_t end) const {
    if (bases_[base]) return false;
    for (std::size_t k = begin; k < end; ++k)
      if (!cells_[base ^ children_[k].letter].free()) return false;
    return true;
  }

  // Adds cells to the ring of free ones, anchored at cell 0.
  void grow() {
    const u32 begin = static_cast<u32>(cells_.size()), end = begin + block_;
    if (end > kMost) throw std::length_error("a vocabulary of more than a thousand million cells");
    cells_.resize(end);
    to_.values_.resize(end);
    next_.resize(end);
    prev_.resize(end);
    bases_.resize(end);
    for (u32 cell = begin; cell < end; ++cell) {
      const u32 last = prev_[0];
      next_[last] = cell;
      prev_[cell] = last;
      next_[cell] = 0;
      prev_[0] = cell;
    }
  }

  void take(u32 cell, u32 letter) {
    cells_[cell].mark = letter << 1;
    unlink(cell);
  }

  // subtle: a cell dropped from the ring after a long search is still free and may be used
  void unlink(u32 cell) {
    if (next_[cell] == cell) return;
    next_[prev_[cell]] = next_[cell];
    prev_[next_[cell]] = prev_[cell];
    next_[cell] = prev_[cell] = cell;
  }

  Trie& to_;
  std::vector<Cell>& cells_;
  const u32 block_;
  std::vector<u32> spelling_;   // the letters of all keys
  std::vector<Spelt> spelt_;    // and one past the last
  std::vector<Child> children_;  // of nodes being placed
  std::vector<u32> next_, prev_;  // of free cells
  std::vector<bool> bases_;       // in use
  u32 fresh_[32] = {};            // start of sparse regions, for parts of size 2 to the i
};

inline void Trie::sort(std::vector<Key>& keys) {
  struct Ranked {
    u64 head;  // the first eight bytes, which usually decide
    Key key;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(keys.size());
  for (const Key& key : keys) {
    u64 head = 0;
    for (std::size_t i = 0; i < 8; ++i)
      head = head << 8 | (i < key.text.size() ? u8(key.text[i]) : 0);
    ranked.push_back({head, key});
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    if (a.key.inside != b.key.inside) return a.key.inside < b.key.inside;
    return a.head != b.head ? a.head < b.head : a.key.text < b.key.text;
  });
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = ranked[i].key;
}

inline Trie::Trie(std::vector<Key> keys) {
  sort(keys);
  for (std::size_t i = 1; i < keys.size(); ++i)
    require(keys[i - 1].inside != keys[i].inside || keys[i - 1].text != keys[i].text,
            "a piece occurs twice");
  for (const Key& key : keys) each_character(key.text, [&](u32 c) { letters_.set(c, 1); });
  Builder(*this, keys, letters_.renumber());
}

}  // namespace specialize
