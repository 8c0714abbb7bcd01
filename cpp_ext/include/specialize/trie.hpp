// The pieces of a vocabulary as a double array over bytes: one step is one look into memory.
//
// A cell knows the byte it is reached by, not its parent: no two parents have one base, so the byte
// tells them apart, and a cell is small.
#pragma once

#include <stdexcept>
#include <unordered_set>

#include "table.hpp"

namespace specialize {

class Trie {
 public:
  static constexpr u32 kRoot = 0, kNowhere = 0xffffffff;

  // ``keys`` are sorted and differ; the value of keys[i] is values[i] >= 0.
  void build(const std::vector<std::string_view>& keys, const std::vector<int>& values) {
    cells_.assign(1024, Cell{});
    next_.assign(1, 0);
    prev_.assign(1, 0);
    link_free(256);  // subtle: the first block stays empty; cells without children have it as base
    bases_ = {};
    place(keys, values, 0, keys.size(), 0, kRoot);
    next_ = {};
    prev_ = {};
    bases_ = {};
  }

  u32 step(u32 node, u8 byte) const {
    const u32 to = cells_[node].base ^ byte;
    return cells_[to].byte() == byte ? to : kNowhere;
  }
  u32 walk(u32 node, std::string_view bytes) const {
    for (char b : bytes)
      if (node == kNowhere || (node = step(node, static_cast<u8>(b))) == kNowhere) break;
    return node;
  }
  int value(u32 node) const { return cells_[node].value(); }
  int find(u32 node, std::string_view bytes) const {
    node = walk(node, bytes);
    return node == kNowhere ? -1 : value(node);
  }

 private:
  static constexpr unsigned kTries = 32;
  static constexpr u32 kFree = 0x100, kBits = 9;  // no byte

  struct Cell {
    u32 base = 0;      // a child stands at base ^ byte
    u32 held = kFree;  // value + 1, and in the lowest bits the byte it is reached by

    u32 byte() const { return held & ((1u << kBits) - 1); }
    int value() const { return static_cast<int>(held >> kBits) - 1; }
    void set_value(int value) {
      const u32 one_more = static_cast<u32>(value) + 1;
      if (one_more >> (32 - kBits)) throw std::length_error("a vocabulary of eight million pieces");
      held = one_more << kBits | byte();
    }
  };

  void place(const std::vector<std::string_view>& keys, const std::vector<int>& values,
             std::size_t from, std::size_t to, std::size_t depth, u32 node) {
    if (from < to && keys[from].size() == depth) cells_[node].set_value(values[from++]);
    if (from == to) return;
    std::vector<std::pair<u8, std::size_t>> children;  // byte, first key
    for (std::size_t i = from; i < to; ++i) {
      const u8 byte = static_cast<u8>(keys[i][depth]);
      if (children.empty() || children.back().first != byte) children.emplace_back(byte, i);
    }
    const u32 base = room_for(children);
    cells_[node].base = base;
    bases_.insert(base);
    for (auto [byte, first] : children) take(base ^ byte, byte);
    for (std::size_t c = 0; c < children.size(); ++c) {
      const std::size_t end = c + 1 < children.size() ? children[c + 1].second : to;
      place(keys, values, children[c].second, end, depth + 1, base ^ children[c].first);
    }
  }

  u32 room_for(const std::vector<std::pair<u8, std::size_t>>& children) {
    const u8 lead = children[0].first;
    unsigned tries = 0;
    for (u32 cell = next_[0]; cell != 0; cell = next_[cell]) {
      const u32 base = cell ^ lead;
      bool fits = !bases_.contains(base);
      for (auto [byte, first] : children) fits = fits && cells_[base ^ byte].byte() == kFree;
      if (fits) return base;
      if (++tries == kTries) {  // rather a larger array than a long search
        unlink(next_[0]);
        break;
      }
    }
    const u32 end = static_cast<u32>(cells_.size());
    cells_.resize(cells_.size() + 256);
    link_free(end);
    return end;
  }

  // The cells from ``begin`` on join the ring of free cells, whose anchor is cell 0.
  void link_free(u32 begin) {
    next_.resize(cells_.size());
    prev_.resize(cells_.size());
    for (u32 cell = begin; cell < cells_.size(); ++cell) {
      const u32 last = prev_[0];
      next_[last] = cell;
      prev_[cell] = last;
      next_[cell] = 0;
      prev_[0] = cell;
    }
  }

  void take(u32 cell, u8 byte) {
    cells_[cell].held = byte;
    unlink(cell);
  }

  // subtle: a cell that left the ring after a long search is still free, and may be taken
  void unlink(u32 cell) {
    if (next_[cell] == cell) return;
    next_[prev_[cell]] = next_[cell];
    prev_[next_[cell]] = prev_[cell];
    next_[cell] = prev_[cell] = cell;
  }

  std::vector<Cell> cells_;
  std::vector<u32> next_, prev_;  // of free cells, while building
  std::unordered_set<u32> bases_;  // taken, while building
};

}  // namespace specialize
