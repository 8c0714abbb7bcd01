// From tokens to words: a pre-tokeniser's rule for each character.
//
// The table of rules comes from the Python reference (specialize/vocab/wordpiece/pretokenize.py);
// no Unicode data here.
#pragma once

#include <array>
#include <string>
#include <unordered_map>

#include "require.hpp"
#include "threads.hpp"
#include "utf8.hpp"

namespace specialize {

enum class Rule : u8 {
  keep,    // a letter of a word
  remove,  // deleted, joining its neighbours
  space,   // separates words
  alone,   // a word by itself
  mapped,  // becomes a text of letters and spaces
  hard,    // depends on its neighbours: the token falls back to Python
};

class Rules {
 public:
  void set(u32 first, u32 last, Rule rule) {
    require(rule <= Rule::hard && rule != Rule::mapped, "unknown rule");
    fill(first, last, rule);
  }
  void map(u32 c, std::string to) {
    fill(c, c, Rule::mapped);
    texts_[c] = std::move(to);
  }
  Rule of(u32 c) const { return rows_[pages_[c >> 8]][c & 0xff]; }
  const std::string& text(u32 c) const { return texts_.at(c); }
  bool any_hard() const { return hard_; }

 private:
  void fill(u32 first, u32 last, Rule rule) {
    hard_ |= rule == Rule::hard;
    for (u32 c = first; c <= last && c <= 0x10ffff; ++c) {
      u32& page = pages_[c >> 8];
      if (page == 0) {
        page = static_cast<u32>(rows_.size());
        rows_.push_back({});
      }
      rows_[page][c & 0xff] = rule;
    }
  }

  std::array<u32, 0x1100> pages_{};
  std::vector<std::array<Rule, 256>> rows_{1};  // row 0: all keep
  std::unordered_map<u32, std::string> texts_;
  bool hard_ = false;
};

// Special pieces such as [MASK], kept whole where they occur in the text.
class Specials {
 public:
  void add(std::string text, int id) {
    require(!text.empty(), "a special piece is empty");
    marks_[static_cast<u8>(text[0])] = true;
    items_.emplace_back(std::move(text), id);
    std::stable_sort(items_.begin(), items_.end(),
                     [](auto& a, auto& b) { return a.first.size() > b.first.size(); });
  }
  const std::vector<std::pair<std::string, int>>& all() const { return items_; }

  // The longest special piece that text begins with at p, or nullptr.
  const std::pair<std::string, int>* at(const char* p, const char* end) const {
    if (!marks_[static_cast<u8>(*p)]) return nullptr;
    for (const auto& item : items_)
      if (static_cast<std::size_t>(end - p) >= item.first.size() &&
          std::memcmp(p, item.first.data(), item.first.size()) == 0)
        return &item;
    return nullptr;
  }
  const std::pair<std::string, int>* exactly(std::string_view word) const {
    const auto* found = word.empty() ? nullptr : at(word.data(), word.data() + word.size());
    return found && found->first.size() == word.size() ? found : nullptr;
  }

 private:
  std::array<bool, 256> marks_{};
  std::vector<std::pair<std::string, int>> items_;
};

// Splits one token: calls word(text, offset), special(item, offset), gap() at Unicode white space,
// and removed(character, offset) of the sink. Returns false at a hard character, after the calls
// for the text before it.
template <class Sink>
bool split(std::string_view token, const Rules& rules, const Specials& specials,
            std::string& buffer, Sink& sink) {
  const char *p = token.data(), *const begin = p, *const end = p + token.size();
  const char* plain = p;  // the word so far, if unchanged
  bool changed = false;   // then it is in the buffer
  u64 start = 0;
  buffer.clear();
  const auto close = [&](const char* at) {
    if (changed) {
      if (!buffer.empty()) sink.word(std::string_view(buffer), start);
      buffer.clear();
      changed = false;
    } else if (at > plain) {
      sink.word(std::string_view(plain, static_cast<std::size_t>(at - plain)), start);
    }
  };
  while (p < end) {
    if (const auto* special = specials.at(p, end)) {
      close(p);
      sink.special(*special, static_cast<u64>(p - begin));
      p = plain = p + special->first.size();
      start = static_cast<u64>(p - begin);
      continue;
    }
    u32 n;
    const u32 c = character(p, n);
    const Rule rule = rules.of(c);
    if (rule == Rule::keep) {
      if (changed) {
        if (buffer.empty()) start = static_cast<u64>(p - begin);
        buffer.append(p, n);
      }
      p += n;
      continue;
    }
    if (rule == Rule::hard) return false;
    if (rule == Rule::remove || rule == Rule::mapped) {
      if (!changed) {
        buffer.assign(plain, static_cast<std::size_t>(p - plain));
        changed = true;
      }
      if (rule == Rule::remove) {
        sink.removed(c, static_cast<u64>(p - begin));
      } else {
        for (char byte : rules.text(c)) {
          if (byte != ' ') {
            if (buffer.empty()) start = static_cast<u64>(p - begin);
            buffer += byte;
          } else if (!buffer.empty()) {
            sink.word(std::string_view(buffer), start);
            buffer.clear();
          }
        }
      }
      p += n;
      continue;
    }
    close(p);
    if (rule == Rule::alone)
      sink.word(std::string_view(p, n), static_cast<u64>(p - begin));
    else
      sink.gap();
    p = plain = p + n;
    start = static_cast<u64>(p - begin);
  }
  close(end);
  return true;
}

struct Seen {  // occurrences, and the first position
  u64 count = 0, first = ~u64{0};
  u32 place = 0;  // breaks ties of first

  void add(u64 n, u64 at, u32 within = 0) {
    count += n;
    if (at < first || (at == first && within < place)) {
      first = at;
      place = within;
    }
  }
  void add(const Seen& o) { add(o.count, o.first, o.place); }
};

template <class Key>
void merge(std::unordered_map<Key, Seen>& into, const std::unordered_map<Key, Seen>& from) {
  for (const auto& [key, seen] : from) into[key].add(seen);
}

// Parts of tokens that are not words.
struct Apart {
  std::unordered_map<int, Seen> specials;  // by id
  std::unordered_map<u32, Seen> removed;   // characters
  std::vector<const Entry*> hard;          // tokens for the fallback

  void add(const Apart& o) {
    merge(specials, o.specials);
    merge(removed, o.removed);
    hard.insert(hard.end(), o.hard.begin(), o.hard.end());
    std::sort(hard.begin(), hard.end(), [](auto* a, auto* b) { return a->first() < b->first(); });
  }
};

// The words of a table of tokens.
struct Words : Apart {
  Table table;
};

namespace wording {

// The part of a sink that handles everything but words.
struct Beside {
  Apart& to;
  const Entry& from;

  void special(const std::pair<std::string, int>& item, u64 offset) {
    to.specials[item.second].add(from.count(), from.first() + offset);
  }
  void gap() {}
  void removed(u32 c, u64 offset) { to.removed[c].add(from.count(), from.first() + offset); }
};

struct Sink : Beside {
  Table& table;
  Queue<Table>& queue;

  void word(std::string_view text, u64 offset) {
    const Key key(text);
    if (key.length <= Key::kNear)
      queue.push(key, from.count(), from.first() + offset);
    else
      table.add(key, from.count(), from.first() + offset);  // its text may be overwritten
  }
};

struct Deaf {
  void word(std::string_view, u64) {}
  void special(const std::pair<std::string, int>&, u64) {}
  void gap() {}
  void removed(u32, u64) {}
};

}  // namespace wording

// Splits a token; one that needs the fallback is added to ``hard`` instead.
template <class Sink>
void split_or_leave(const Entry& token, const Rules& rules, const Specials& specials,
                    std::string& buffer, std::vector<const Entry*>& hard, Sink& sink) {
  if (rules.any_hard()) {  // check first, so that nothing is counted twice
    wording::Deaf deaf;
    if (!split(token.view(), rules, specials, buffer, deaf)) return hard.push_back(&token);
  }
  split(token.view(), rules, specials, buffer, sink);
}

inline Words words_of(const Table& tokens, const Rules& rules, const Specials& specials,
                      unsigned threads) {
  std::vector<Words> parts(std::max(1u, threads));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    Words& to = parts[t];
    to.table.parts[p].reserve(tokens.parts[p].size());
    Queue queue(to.table);
    std::string buffer;
    tokens.parts[p].each([&](const Entry& e) {
      wording::Sink sink{{to, e}, to.table, queue};
      split_or_leave(e, rules, specials, buffer, to.hard, sink);
    });
    queue.finish();
  });
  Words all;
  std::vector<Table> tables;
  for (Words& part : parts) {
    all.add(part);
    tables.push_back(std::move(part.table));
  }
  merge(all.table, tables, threads);
  return all;
}

}  // namespace specialize
