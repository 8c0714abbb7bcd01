// From bytes to counted white-space tokens, for any tokenizer's rules: Unicode rules are applied
// later, once per type (rules.hpp).
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "threads.hpp"
#include "utf8.hpp"
#include "window.hpp"

namespace specialize {

// Lengths of lines without line ends and surrounding white space (Python's str.strip).
struct Extent {
  u64 characters = 0, bytes = 0;

  Extent& operator+=(const Extent& o) {
    characters += o.characters;
    bytes += o.bytes;
    return *this;
  }
};

namespace scanning {

constexpr u64 kType = 128;  // tables start with room for a type every so many bytes of text

inline Key key_of(const char* p, u64 n, const char* end) {
  if (n <= Key::kNear && p + Key::kNear <= end)
    return Key(Key::Readable{}, p, static_cast<u32>(n));
  if (n >= u64{1} << 32) throw std::length_error("a token of 4 GB or more");
  return Key(p, static_cast<u32>(n));
}

// Adds up the lines of tokens.
class Lines {
 public:
  explicit Lines(const char* text) : text_(text) {}

  void follow(const Window& w) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < w.lines; ++i) {
      take(w, done, w.breaks[i]);
      done = w.breaks[i];
      close();
    }
    take(w, done, w.n);
    inner_ += w.inner;
  }

  Extent total() {
    close();
    extent_.characters = extent_.bytes - inner_;
    return extent_;
  }

 private:
  // The line continues between these edges.
  void take(const Window& w, std::size_t from, std::size_t to) {
    if (from == to) return;
    if (!open_) first_ = w.edges[from];
    last_ = w.edges[to - 1];
    open_ = true;
  }

  void close() {
    if (!open_) return;
    open_ = false;
    const char *a = text_ + first_, *b = text_ + last_;
    while (a < b) {  // Unicode white space inside tokens is stripped too
      const u32 n = strippable_at(a, b);
      if (!n && !parts_tokens(*a)) break;
      inner_ -= n ? n - 1 : 0;
      a += n ? n : 1;
    }
    while (a < b) {
      const u32 n = strippable_before(a, b);
      if (!n && !parts_tokens(b[-1])) break;
      inner_ -= n ? n - 1 : 0;
      b -= n ? n : 1;
    }
    extent_.bytes += static_cast<u64>(b - a);
  }

  const char* text_;
  bool open_ = false;
  u64 first_ = 0, last_ = 0, inner_ = 0;
  Extent extent_;
};

}  // namespace scanning

// Counts the tokens of text[0, n), which ends at a line end. ``base``: the position of text[0].
inline Extent scan(const char* text, u64 n, u64 base, Table& table) {
  using scanning::Window;
  const auto window = std::make_unique_for_overwrite<Window>();
  Window& w = *window;
  scanning::Lines lines(text);
  Queue queue(table);
  const auto count = [&](u64 begin, u64 end) {
    queue.push([&] { return scanning::key_of(text + begin, end - begin, text + n); }, 1,
               base + begin);
  };
  u64 begun = 0;  // start of the unfinished token
  for (u64 at = 0; at < n || w.inside;) {
    const bool goes_on = w.inside;
    const u64 blocks = std::min<u64>((n - at) / 64, Window::kBlocks);
    w.open();
    if (blocks) {
      scanning::look(text + at, blocks, at, w);
      at += 64 * blocks;
    } else {  // subtle: spaces after the end close the last token
      char rest[64];
      std::memset(rest, ' ', sizeof rest);
      std::memcpy(rest, text + at, n - at);
      scanning::look(rest, 1, at, w);
      at = n;
    }
    std::size_t i = 0;
    if (goes_on && w.n) count(begun, w.edges[i++]);
    for (; i + 1 < w.n; i += 2) count(w.edges[i], w.edges[i + 1]);
    if (i < w.n) begun = w.edges[i];
    lines.follow(w);
  }
  queue.finish();
  return lines.total();
}

namespace scanning {

// Positions that split text[0, n) into parts of whole lines, including both ends.
inline std::vector<u64> cuts(const char* text, u64 n, u64 pieces) {
  std::vector<u64> all{0};
  for (u64 i = 1; i < pieces; ++i) {
    const u64 cut = std::max(all.back(), n / pieces * i);
    const void* end = std::memchr(text + cut, '\n', n - cut);
    all.push_back(end ? static_cast<u64>(static_cast<const char*>(end) - text) + 1 : n);
  }
  all.push_back(n);
  return all;
}

}  // namespace scanning

// The same with several threads, which take parts of whole lines until none remain.
inline Extent scan(const char* text, u64 n, u64 base, Table& table, unsigned threads) {
  constexpr u64 kWorthIt = u64{1} << 20, kEach = 16;
  threads = static_cast<unsigned>(std::min<u64>(threads, n / kWorthIt));
  if (threads < 2) {
    table.reserve(n / scanning::kType);
    return scan(text, n, base, table);
  }
  const u64 parts = std::min(threads * kEach, n / kWorthIt);
  const std::vector<u64> cuts = scanning::cuts(text, n, parts);
  std::vector<Table> tables(threads);
  std::vector<Extent> extents(threads);
  std::atomic<u64> next{0};
  run(threads, [&](unsigned t) {
    tables[t].reserve(n / threads / scanning::kType);
    for (u64 i; (i = next++) < parts;)
      extents[t] += scan(text + cuts[i], cuts[i + 1] - cuts[i], base + cuts[i], tables[t]);
  });
  merge(table, tables, threads);
  Extent all;
  for (const Extent& e : extents) all += e;
  return all;
}

}  // namespace specialize
