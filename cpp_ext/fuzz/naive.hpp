// What the headers compute, once more, slowly and by other means: the oracle of the fuzz target.
//
// One character, one line, one token after the other, with the standard library's containers.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "specialize/rules.hpp"

namespace naive {

using specialize::Rule;
using specialize::u32;
using specialize::u64;

struct Tally {
  u64 count = 0, first = ~u64{0};

  void add(u64 n, u64 at) {
    count += n;
    first = std::min(first, at);
  }
  bool operator==(const Tally&) const = default;
};

template <class Key>
using Tallies = std::map<Key, Tally>;

// The keys in the order of their first occurrence, which differ.
template <class Key>
std::vector<std::pair<Key, u64>> in_order(const Tallies<Key>& tallies) {
  std::map<u64, std::pair<Key, u64>> by_place;
  for (const auto& [key, tally] : tallies) by_place[tally.first] = {key, tally.count};
  std::vector<std::pair<Key, u64>> ordered;
  for (const auto& [place, item] : by_place) ordered.push_back(item);
  return ordered;
}

// Counts that remember which key came first, as Python's dictionaries do.
template <class Key>
struct Sums {
  std::vector<std::pair<Key, u64>> items;

  void add(Key key, u64 n) {
    for (auto& item : items)
      if (item.first == key) {
        item.second += n;
        return;
      }
    items.emplace_back(key, n);
  }
};

struct Character {
  u32 code;
  std::size_t at, size;  // its bytes
};

// The characters of UTF-8, or nothing where the text is not.
inline std::optional<std::vector<Character>> characters(const std::string& text) {
  constexpr u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
  std::vector<Character> found;
  for (std::size_t i = 0; i < text.size();) {
    const u32 lead = static_cast<unsigned char>(text[i]);
    const std::size_t n =
        lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (n == 0 || i + n > text.size()) return {};
    u32 code = n == 1 ? lead : lead & (0x7fu >> n);
    for (std::size_t k = 1; k < n; ++k) {
      const u32 next = static_cast<unsigned char>(text[i + k]);
      if (next >> 6 != 2) return {};
      code = code << 6 | (next & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || code >> 11 == 0x1b) return {};
    found.push_back({code, i, n});
    i += n;
  }
  return found;
}

inline std::vector<Character> known_characters(const std::string& text) {
  return characters(text).value();
}

inline std::vector<std::string> letters(const std::string& text) {
  std::vector<std::string> found;
  for (const Character& c : known_characters(text)) found.push_back(text.substr(c.at, c.size));
  return found;
}

inline void count_tokens(const std::string& text, u64 base, Tallies<std::string>& to) {
  constexpr std::string_view parting = " \t\r\n";
  std::string token;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && parting.find(text[i]) == parting.npos) {
      token += text[i];
    } else if (!token.empty()) {
      to[token].add(1, base + i - token.size());
      token.clear();
    }
  }
}

// Python's str.isspace
inline bool white(u32 c) {
  static const std::set<u32> others{0x20,   0x85,   0xa0,   0x1680, 0x2028,
                                    0x2029, 0x202f, 0x205f, 0x3000};
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f) || (c >= 0x2000 && c <= 0x200a) ||
         others.contains(c);
}

// Adds the characters and bytes of the stripped lines; a line ends at LF or CR.
inline void measure_lines(const std::string& text, u64& count, u64& bytes) {
  const std::vector<Character> all = known_characters(text);
  for (std::size_t i = 0; i <= all.size(); ++i) {
    std::size_t end = i;
    while (end < all.size() && all[end].code != '\n' && all[end].code != '\r') ++end;
    std::size_t a = i, b = end;
    while (a < b && white(all[a].code)) ++a;
    while (a < b && white(all[b - 1].code)) --b;
    for (std::size_t k = a; k < b; ++k) bytes += all[k].size;
    count += b - a;
    i = end;
  }
}

struct CharacterRule {
  Rule rule = Rule::keep;
  std::string text;  // of mapped characters: at most one word, and spaces
};
using RuleTable = std::map<u32, CharacterRule>;

struct Vocabulary {
  std::vector<std::string> pieces;
  std::string prefix;
  int unk;
  std::size_t max_chars;
  std::vector<int> special;

  int id(const std::string& piece) const {
    for (std::size_t i = 0; i < pieces.size(); ++i)
      if (pieces[i] == piece) return static_cast<int>(i);
    return -1;
  }
  // The longest special piece at text[at...], or -1.
  int special_at(const std::string& text, std::size_t at) const {
    int best = -1;
    for (int i : special)
      if (text.compare(at, pieces[i].size(), pieces[i]) == 0 &&
          (best < 0 || pieces[i].size() > pieces[best].size()))
        best = i;
    return best;
  }
  std::vector<int> segment(const std::string& word) const {
    for (int i : special)
      if (pieces[i] == word) return {i};
    const std::vector<std::string> spelt = letters(word);
    std::vector<int> ids;
    if (spelt.size() > max_chars) return {unk};
    for (std::size_t from = 0; from < spelt.size();) {
      int longest = -1;
      std::size_t next = from;
      std::string tried = from ? prefix : "";
      for (std::size_t to = from; to < spelt.size(); ++to) {
        tried += spelt[to];
        if (id(tried) < 0) continue;
        longest = id(tried);
        next = to + 1;
      }
      if (longest < 0) return {unk};
      ids.push_back(longest);
      from = next;
    }
    return ids.empty() ? std::vector<int>{unk} : ids;
  }
};

// The words that have the unknown piece.
inline Tallies<std::string> unknown_of(const Tallies<std::string>& words,
                                       const Vocabulary& vocabulary) {
  Tallies<std::string> unknown;
  for (const auto& [word, tally] : words)
    for (int id : vocabulary.segment(word))
      if (id == vocabulary.unk) unknown[word] = tally;
  return unknown;
}

// One token as what it consists of.
struct Part {
  enum { word, special, removed, gap } kind;
  std::string text;
  u32 number;  // id of the special piece, or the removed character
  u64 offset;
};

// Nothing where the token is hard.
inline std::optional<std::vector<Part>> split(const std::string& token, const RuleTable& rules,
                                              const Vocabulary& vocabulary) {
  std::vector<Part> parts;
  std::string word;
  u64 begin = 0;
  const auto close = [&] {
    if (!word.empty()) parts.push_back({Part::word, word, 0, begin});
    word.clear();
  };
  const auto extend = [&](const std::string& by, u64 at) {
    if (word.empty()) begin = at;
    word += by;
  };
  const std::vector<Character> all = known_characters(token);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto [code, at, size] = all[i];
    if (const int id = vocabulary.special_at(token, at); id >= 0) {
      close();
      parts.push_back({Part::special, "", static_cast<u32>(id), at});
      i += letters(vocabulary.pieces[id]).size() - 1;
      continue;
    }
    const auto found = rules.find(code);
    const CharacterRule rule = found == rules.end() ? CharacterRule{} : found->second;
    const std::string itself = token.substr(at, size);
    switch (rule.rule) {
      case Rule::hard: return {};
      case Rule::keep: extend(itself, at); break;
      case Rule::remove: parts.push_back({Part::removed, "", code, at}); break;
      case Rule::space:
        close();
        parts.push_back({Part::gap, "", 0, at});
        break;
      case Rule::alone:
        close();
        parts.push_back({Part::word, itself, 0, at});
        break;
      case Rule::mapped:
        for (const std::string& letter : letters(rule.text)) {
          if (letter == " ") close();
          else extend(letter, at);
        }
    }
  }
  close();
  return parts;
}

struct Words {
  Tallies<std::string> words;
  Tallies<int> specials;
  Tallies<u32> removed;
  std::set<std::string> hard;
};

inline Words words_of(const Tallies<std::string>& tokens, const RuleTable& rules,
                      const Vocabulary& vocabulary) {
  Words all;
  for (const auto& [token, tally] : tokens) {
    const auto parts = split(token, rules, vocabulary);
    if (!parts) all.hard.insert(token);
    else
      for (const Part& part : *parts) {
        const u64 at = tally.first + part.offset;
        if (part.kind == Part::word) all.words[part.text].add(tally.count, at);
        if (part.kind == Part::special) all.specials[part.number].add(tally.count, at);
        if (part.kind == Part::removed) all.removed[part.number].add(tally.count, at);
      }
  }
  return all;
}

struct Audit {
  u64 words = 0, pieces = 0, unknown = 0, continued = 0;
  Sums<u32> missing;
};

inline Audit audit(const Tallies<std::string>& words, const Vocabulary& vocabulary) {
  Audit sum;
  for (const auto& [word, count] : in_order(words)) {
    const std::vector<int> ids = vocabulary.segment(word);
    sum.words += count;
    sum.pieces += count * ids.size();
    if (ids.size() > 1) sum.continued += count;
    if (ids != std::vector<int>{vocabulary.unk}) continue;
    sum.unknown += count;
    for (const Character& c : known_characters(word))
      if (vocabulary.id((c.at ? vocabulary.prefix : "") + word.substr(c.at, c.size)) < 0)
        sum.missing.add(c.code, count);
  }
  return sum;
}

struct Unit {
  std::vector<int> before, after;
  u64 count;
};

struct Replacements {
  Sums<int> replaced, overall;
};

// ``units``: in the order of their first occurrence.
inline Replacements replacements(const std::vector<Unit>& units, const Vocabulary& old,
                                 const Vocabulary& now) {
  Replacements sums;
  for (const Unit& unit : units) {
    const auto unknown = std::count(unit.before.begin(), unit.before.end(), old.unk);
    const bool better = unknown > std::count(unit.after.begin(), unit.after.end(), now.unk);
    std::set<std::string> known;
    for (int id : unit.before) known.insert(old.pieces[id]);
    for (int id : unit.after) {
      sums.overall.add(id, unit.count);
      if (better && !known.contains(now.pieces[id])) sums.replaced.add(id, unit.count);
    }
  }
  return sums;
}

// Each word a unit.
inline std::vector<Unit> word_units(const Tallies<std::string>& words, const Vocabulary& old,
                                    const Vocabulary& now) {
  std::vector<Unit> units;
  for (const auto& [word, count] : in_order(words))
    units.push_back({old.segment(word), now.segment(word), count});
  return units;
}

// Each token a unit, or what Unicode's white space makes of it where it is ``parted``.
inline std::vector<Unit> token_units(const Tallies<std::string>& tokens, const RuleTable& rules,
                                     bool parted, const Vocabulary& old, const Vocabulary& now) {
  std::vector<Unit> units;
  for (const auto& [token, count] : in_order(tokens)) {
    units.push_back({{}, {}, count});
    const std::vector<Part> parts = split(token, rules, old).value();
    for (const Part& part : parts) {
      if (part.kind == Part::gap && parted) units.push_back({{}, {}, count});
      if (part.kind == Part::special) {
        units.back().before.push_back(static_cast<int>(part.number));
        units.back().after.push_back(now.id(old.pieces[part.number]));
      }
      if (part.kind != Part::word) continue;
      for (int id : old.segment(part.text)) units.back().before.push_back(id);
      for (int id : now.segment(part.text)) units.back().after.push_back(id);
    }
  }
  return units;
}

// [(pieces, unknown)] of all words with only the first points[i] of ``fresh``, for each i.
inline std::vector<std::pair<u64, u64>> coverage(const Tallies<std::string>& words,
                                                 const Vocabulary& now,
                                                 const std::vector<int>& fresh,
                                                 const std::vector<std::size_t>& points) {
  std::vector<std::pair<u64, u64>> sums;
  for (std::size_t point : points) {
    Vocabulary then = now;
    for (std::size_t i = point; i < fresh.size(); ++i)
      then.pieces[fresh[i]] = "\n" + std::to_string(i);  // in no word
    u64 pieces = 0, unknown = 0;
    for (const auto& [word, tally] : words) {
      const std::vector<int> ids = then.segment(word);
      pieces += tally.count * ids.size();
      if (ids == std::vector<int>{then.unk}) unknown += tally.count;
    }
    sums.emplace_back(pieces, unknown);
  }
  return sums;
}

}  // namespace naive
