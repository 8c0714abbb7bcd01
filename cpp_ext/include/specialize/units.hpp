// From lines to counted units: a line is cut before a single space between two solid characters.
// Reference implementation: specialize/vocab/counting/space_units.py.
#pragma once

#include "rules.hpp"
#include "scan.hpp"

namespace specialize {

// The solid characters, as in the reference: listed one by one below kListed.
class Solid {
 public:
  static constexpr u32 kListed = 0x20000, kIdeographs = 0x40000;

  explicit Solid(std::string listed) : listed_(std::move(listed)) { listed_.resize(kListed); }

  bool at(const char* p) const {
    u32 n;
    const u32 c = character(p, n);
    return c < kListed ? listed_[c] != 0 : c < kIdeographs;
  }
  bool before(const char* end) const {
    while ((u8(*--end) & 0xc0) == 0x80) {
    }
    return at(end);
  }

 private:
  std::string listed_;
};

class Units {
 public:
  explicit Units(std::string solid) : solid_(std::move(solid)) {}

  // Counts the units of ``lines``, copying their text.
  void feed(const std::vector<std::string_view>& lines, unsigned threads) {
    std::string text = "\n";  // also before the first line
    std::vector<u64> ends;
    for (std::string_view line : lines) {
      text.append(line);
      ends.push_back(text.size());
      text += '\n';
    }
    threads = static_cast<unsigned>(
        std::min<u64>(std::max(1u, threads), 1 + text.size() / kWorthIt));
    if (threads == 1) {
      count(text, ends, 0, ends.size(), table);
    } else {
      std::vector<Table> tables(threads);
      run(threads, [&](unsigned t) {
        const std::size_t n = ends.size();
        count(text, ends, n * t / threads, n * (t + 1) / threads, tables[t]);
      });
      merge(table, tables, threads);
    }
    read_ += text.size();
  }

  Table table;

 private:
  static constexpr u64 kWorthIt = u64{1} << 19;
  static constexpr u64 kLong = 10'000;  // bytes of a line that is cut whatever it begins with

  void count(const std::string& text, const std::vector<u64>& ends, std::size_t from,
             std::size_t to, Table& into) const {
    Queue queue(into);
    for (std::size_t i = from; i < to; ++i) line(text, i ? ends[i - 1] + 1 : 1, ends[i], queue);
    queue.finish();
  }

  // The line is text[begin, end), after a line end.
  void line(const std::string& all, u64 begin, u64 end, Queue<Table>& queue) const {
    if (begin == end) return;
    const char* const text = all.data();
    const auto push = [&](u64 a, u64 b) {
      queue.push(scanning::key_of(text + a, b - a, text + all.size()), 1, read_ + a);
    };
    u64 unit = begin;
    if (!solid_.at(text + begin)) {
      unit -= text[begin] == ' ' || text[begin] == '\n';
      if (end - unit < kLong) return push(unit, end);
    }
    for (u64 at = begin; const void* space = std::memchr(text + at, ' ', end - at);) {
      const u64 place = static_cast<u64>(static_cast<const char*>(space) - text);
      if ((at = place + 1) == end) break;
      if (!solid_.before(text + place) || !solid_.at(text + at)) continue;
      push(unit, place);
      unit = place;
    }
    push(unit, end);
  }

  Solid solid_;
  u64 read_ = 0;
};

// Whether a text contains one of a set of texts, such as special pieces.
class Contents {
 public:
  explicit Contents(const std::vector<std::string>& texts) {
    for (const std::string& text : texts)
      if (!text.empty()) texts_[u8(text[0])].push_back(text);
  }

  bool in(std::string_view text) const {
    for (std::size_t i = 0; i < text.size(); ++i)
      for (const std::string& one : texts_[u8(text[i])])
        if (text.substr(i).starts_with(one)) return true;
    return false;
  }

 private:
  std::vector<std::string> texts_[256];  // by their first byte
};

// Totals of units under a tokenizer.
struct UnitAudit {
  u64 words = 0, pieces = 0, unknown_words = 0, unknown_pieces = 0, continued = 0;
  u64 characters = 0, bytes = 0;
  std::unordered_map<u32, Seen> missing;  // characters of unknown pieces
  std::vector<const Entry*> rest;  // to be counted elsewhere, except for characters and bytes

  UnitAudit& operator+=(const UnitAudit& o) {
    words += o.words;
    pieces += o.pieces;
    unknown_words += o.unknown_words;
    unknown_pieces += o.unknown_pieces;
    continued += o.continued;
    characters += o.characters;
    bytes += o.bytes;
    merge(missing, o.missing);
    rest.insert(rest.end(), o.rest.begin(), o.rest.end());
    return *this;
  }

  // Adds a unit's characters and bytes; returns it without its leading line end.
  std::string_view measure(const Entry& e) {
    std::string_view text = e.view();
    if (text[0] == '\n') text.remove_prefix(1);
    for (char c : text) characters += e.count() * ((u8(c) & 0xc0) != 0x80);
    bytes += e.count() * text.size();
    return text;
  }

  static UnitAudit sum(std::vector<UnitAudit> parts) {
    UnitAudit all;
    for (const UnitAudit& part : parts) all += part;
    std::sort(all.rest.begin(), all.rest.end(),
              [](auto* a, auto* b) { return a->first() < b->first(); });
    return all;
  }
};

}  // namespace specialize
