// Units of lines and what they come to under a BPE or a Unigram, once more, slowly: see naive.hpp.
#pragma once

#include <functional>

#include "naive.hpp"
#include "specialize/bpe.hpp"
#include "specialize/unigram.hpp"

namespace naive {

using specialize::Kind;
using specialize::Pattern;

// Characters that a unit may neither begin nor end with; white space is always among them.
using Loose = std::set<u32>;

inline bool solid(u32 code, const Loose& loose) { return code < 0x40000 && !loose.contains(code); }

inline std::vector<std::string> units_of(const std::string& line, const Loose& loose) {
  const std::vector<Character> all = known_characters(line);
  if (all.empty()) return {};
  if (!solid(all[0].code, loose))
    return {(all[0].code == ' ' || all[0].code == '\n' ? "\n" : "") + line};
  std::vector<std::string> units{""};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool cut = all[i].code == ' ' && i > 0 && i + 1 < all.size() &&
                     solid(all[i - 1].code, loose) && solid(all[i + 1].code, loose);
    if (cut) units.emplace_back();
    units.back() += line.substr(all[i].at, all[i].size);
  }
  return units;
}

inline Sums<std::string> count_units(const std::vector<std::string>& lines, const Loose& loose) {
  Sums<std::string> counts;
  for (const std::string& line : lines)
    for (const std::string& unit : units_of(line, loose)) counts.add(unit, 1);
  return counts;
}

struct UnitAudit {
  u64 words = 0, pieces = 0, unknown_words = 0, unknown_pieces = 0, continued = 0;
  u64 characters = 0, bytes = 0;
  Sums<u32> missing;
  std::vector<std::string> rest;

  // Adds a unit's characters and bytes; returns it without a line end put before it.
  std::string measure(const std::string& unit, u64 count) {
    const std::string text = unit[0] == '\n' ? unit.substr(1) : unit;
    characters += count * letters(text).size();
    bytes += count * text.size();
    return text;
  }
  void word(u64 count, u64 of_pieces) {
    words += count;
    pieces += count * of_pieces;
    continued += of_pieces > 1 ? count : 0;
  }
};

inline bool holds_one(const std::string& text, const std::vector<std::string>& special) {
  return std::any_of(special.begin(), special.end(), [&](const std::string& one) {
    return !one.empty() && text.find(one) != text.npos;
  });
}

// A regular expression: alternatives of classes that repeat, the most first.
class Expression {
 public:
  using Class = std::function<bool(u32)>;
  struct Repeated {
    Class of;
    std::size_t least, most;
  };
  struct Alternative {
    std::vector<Repeated> parts;
    Class not_before = {};  // what may not stand behind it
  };

  explicit Expression(std::vector<Alternative> alternatives)
      : alternatives_(std::move(alternatives)) {}

  // The lengths of what is found, one after the other.
  std::vector<std::size_t> cut(const std::vector<u32>& text) const {
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at < text.size(); at += found.back()) {
      std::optional<std::size_t> end;
      for (const Alternative& one : alternatives_)
        if (!end) end = match(one, 0, text, at);
      found.push_back(end.value() - at);
    }
    return found;
  }

 private:
  static std::optional<std::size_t> match(const Alternative& one, std::size_t part,
                                          const std::vector<u32>& text, std::size_t at) {
    if (part == one.parts.size()) {
      if (one.not_before && at < text.size() && one.not_before(text[at])) return {};
      return at;
    }
    const auto& [of, least, most] = one.parts[part];
    std::size_t n = 0;
    while (n < most && at + n < text.size() && of(text[at + n])) ++n;
    for (;; --n) {
      if (n < least) return {};
      if (const auto end = match(one, part + 1, text, at + n)) return end;
      if (n == 0) return {};
    }
  }

  std::vector<Alternative> alternatives_;
};

using Kinds = std::map<u32, Kind>;

// GPT-2's or cl100k's pattern, as specialize/vocab/counting/separable.py writes it.
inline Expression expression(const Pattern& pattern, const Kinds& kinds) {
  using Class = Expression::Class;
  constexpr std::size_t many = ~std::size_t{0};
  const auto is = [kinds](Kind kind) -> Class {
    return [kinds, kind](u32 c) {
      const auto found = kinds.find(c);
      return (found == kinds.end() ? Kind::other : found->second) == kind;
    };
  };
  const auto one_of = [](std::u32string codes) -> Class {
    return [codes](u32 c) { return codes.find(static_cast<char32_t>(c)) != codes.npos; };
  };
  const Class letter = is(Kind::letter), number = is(Kind::number), white = is(Kind::space);
  const Class sign = is(Kind::other), space = one_of(U" "), end = one_of(U"\r\n");
  const Class not_white = [white](u32 c) { return !white(c); };
  const Class before = [=](u32 c) { return !end(c) && !letter(c) && !number(c); };
  std::vector<Expression::Alternative> all;
  for (const std::u32string ending : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"}) {
    std::vector<Expression::Repeated> parts{{one_of(U"'"), 1, 1}};
    for (char32_t c : ending) {
      std::u32string forms(1, c);
      if (pattern.any_case) forms += c - 32;
      if (pattern.any_case && c == 's') forms += U'\u017f';
      parts.push_back({one_of(forms), 1, 1});
    }
    all.push_back({parts});
  }
  if (!pattern.one_before) {
    all.push_back({{{space, 0, 1}, {letter, 1, many}}});
    all.push_back({{{space, 0, 1}, {number, 1, pattern.numbers}}});
    all.push_back({{{space, 0, 1}, {sign, 1, many}}});
  } else {
    all.push_back({{{before, 0, 1}, {letter, 1, many}}});
    all.push_back({{{number, 1, pattern.numbers}}});
    all.push_back({{{space, 0, 1}, {sign, 1, many}, {end, 0, many}}});
    all.push_back({{{white, 0, many}, {end, 1, many}}});
  }
  all.push_back({{{white, 1, many}}, not_white});
  all.push_back({{{white, 1, many}}});
  return Expression(std::move(all));
}

struct Bpe {
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
  std::vector<std::string> whole;                           // words that are not merged

  std::size_t pieces(const std::string& word) const {
    if (std::find(whole.begin(), whole.end(), word) != whole.end()) return 1;
    std::vector<std::string> symbols;
    for (char c : word) symbols.emplace_back(1, c);
    for (;;) {
      std::size_t best = merges.size(), place = 0;
      for (std::size_t k = 0; k + 1 < symbols.size(); ++k) {
        std::size_t rank = merges.size();  // of a merge that stands twice, the later
        while (rank > 0 && merges[rank - 1] != std::pair(symbols[k], symbols[k + 1])) --rank;
        if (rank == 0 || rank - 1 >= best) continue;
        best = rank - 1;
        place = k;
      }
      if (best == merges.size()) return symbols.size();
      symbols[place] += symbols[place + 1];
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
  }
};

inline UnitAudit audit(const Sums<std::string>& units, const Bpe& bpe, const Pattern& pattern,
                       const Kinds& kinds, const std::vector<std::string>& special) {
  const Expression words = expression(pattern, kinds);
  UnitAudit sum;
  for (const auto& [unit, count] : units.items) {
    std::string text = sum.measure(unit, count);
    const bool marked = holds_one(text, special);
    if (pattern.space_first && text[0] != ' ') text = ' ' + text;
    std::vector<u32> codes;
    for (const Character& c : known_characters(text)) codes.push_back(c.code);
    const std::vector<std::string> spelt = letters(text);
    std::vector<std::string> found;
    for (std::size_t n : words.cut(codes)) {
      std::size_t from = 0;
      for (const std::string& word : found) from += letters(word).size();
      found.emplace_back();
      for (std::size_t k = 0; k < n; ++k) found.back() += spelt[from + k];
    }
    const bool lengthy = std::any_of(found.begin(), found.end(), [](const std::string& word) {
      return word.size() >= specialize::BpeCount::kLongest;
    });
    if (marked || lengthy) {
      sum.rest.push_back(unit);
      continue;
    }
    for (const std::string& word : found) sum.word(count, bpe.pieces(word));
  }
  return sum;
}

struct Unigram {
  std::map<std::string, double> pieces;
  double unknown;

  struct Part {
    std::string text;
    bool known;
  };

  // The best way to each place, of equal ones the first: from the left, shorter pieces first.
  std::vector<Part> segment(const std::string& word) const {
    struct Way {
      double score;
      std::vector<Part> parts;
    };
    const std::vector<std::string> spelt = letters(word);
    std::vector<std::optional<Way>> ways(spelt.size() + 1);
    ways[0] = Way{0, {}};
    const auto offer = [&](std::size_t from, std::size_t to, double score, Part part) {
      const double sum = score + ways[from]->score;
      if (ways[to] && sum <= ways[to]->score) return;
      ways[to] = Way{sum, ways[from]->parts};
      ways[to]->parts.push_back(std::move(part));
    };
    for (std::size_t from = 0; from < spelt.size(); ++from) {
      std::string text;
      for (std::size_t to = from; to < spelt.size(); ++to) {
        text += spelt[to];
        const auto piece = pieces.find(text);
        if (piece != pieces.end()) offer(from, to + 1, piece->second, {text, true});
      }
      if (!pieces.contains(spelt[from])) offer(from, from + 1, unknown, {spelt[from], false});
    }
    return joined(ways.back()->parts);
  }

 private:
  // Unknown characters that follow each other are one part, which may be a piece.
  std::vector<Part> joined(const std::vector<Part>& parts) const {
    std::vector<Part> all;
    bool open = false;
    for (const Part& part : parts) {
      if (open && !part.known) all.back().text += part.text;
      else all.push_back(part);
      open = !part.known;
    }
    for (Part& part : all) part.known = pieces.contains(part.text);
    return all;
  }
};

inline UnitAudit audit(const Sums<std::string>& units, const Unigram& unigram,
                       specialize::Marks marks, const std::vector<std::string>& special,
                       const std::vector<std::string>& hard) {
  UnitAudit sum;
  for (const auto& [unit, count] : units.items) {
    std::string text = sum.measure(unit, count);
    const bool later = text[0] == ' ';
    const bool left = unit[0] == '\n' || holds_one(text, special) ||
                      std::find(hard.begin(), hard.end(), unit) != hard.end();
    if (later) text = text.substr(1);
    bool one_word = !text.empty();
    for (const Character& c : known_characters(text))
      one_word = one_word && !white(c.code) && c.code != 0x2581;
    if (left || !one_word) {
      sum.rest.push_back(unit);
      continue;
    }
    const std::string mark = (later ? marks.later : marks.first) ? "\u2581" : "";
    const std::vector<Unigram::Part> parts = unigram.segment(mark + text);
    u64 unknown = 0;
    for (const Unigram::Part& part : parts) {
      if (part.known) continue;
      ++unknown;
      for (const Character& c : known_characters(part.text)) sum.missing.add(c.code, count);
    }
    sum.word(count, parts.size());
    sum.unknown_words += unknown ? count : 0;
    sum.unknown_pieces += count * unknown;
  }
  return sum;
}

}  // namespace naive
