// WordPiece: the longest piece first; and what a whole text's words come to under it.
#pragma once

#include <string>

#include "rules.hpp"
#include "trie.hpp"

namespace specialize {

inline u32 characters_in(std::string_view text) {
  u32 n = 0;
  for (char c : text) n += (u8(c) & 0xc0) != 0x80;
  return n;
}

class WordPiece {
 public:
  // ``special``: the ids of pieces that are themselves wherever a word is spelt like them.
  WordPiece(std::vector<std::string> pieces, const std::string& prefix, int unk, u32 max_chars,
            const std::vector<int>& special)
      : pieces_(std::move(pieces)), unk_(unk), max_chars_(max_chars) {
    std::vector<std::pair<std::string, int>> keys;
    keys.reserve(pieces_.size() * 2);
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      const std::string& piece = pieces_[i];
      keys.emplace_back(piece, static_cast<int>(i));
      if (piece.starts_with(prefix))
        keys.emplace_back(kInside + piece.substr(prefix.size()), static_cast<int>(i));
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
    for (int id : special) specials_.add(pieces_[static_cast<std::size_t>(id)], id);
  }

  const Specials& specials() const { return specials_; }
  const std::vector<std::string>& pieces() const { return pieces_; }
  int unk() const { return unk_; }
  int id(std::string_view piece) const { return trie_.find(Trie::kRoot, piece); }

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
    if (word.size() > max_chars_ && characters_in(word) > max_chars_) return false;
    const char *p = word.data(), *const end = p + word.size();
    u32 from = Trie::kRoot;
    while (p < end) {
      const char* longest = nullptr;
      int id = -1;
      u32 node = from;
      for (const char* q = p; q < end;) {
        node = trie_.step(node, static_cast<u8>(*q++));
        if (node == Trie::kNowhere) break;
        if (trie_.value(node) >= 0) {
          id = trie_.value(node);
          longest = q;
        }
      }
      if (!longest) return false;
      ids.push_back(id);
      p = longest;
      from = inside_;
      if (from == Trie::kNowhere && p < end) return false;
    }
    return !ids.empty();
  }

  // Calls lacking(character, index) for each character of a word that is no piece where it stands.
  template <class F>
  void unspelt(std::string_view word, F lacking) const {
    const char *p = word.data(), *const end = p + word.size();
    for (u32 i = 0, n; p < end; p += n, ++i) {
      const u32 c = decode(p, end, n);
      const u32 from = i ? inside_ : Trie::kRoot;
      if (from == Trie::kNowhere || trie_.find(from, {p, n}) < 0) lacking(c, i);
    }
  }

 private:
  static constexpr char kInside = static_cast<char>(0xff);  // no byte of UTF-8

  std::vector<std::string> pieces_;
  Trie trie_;
  u32 inside_ = Trie::kNowhere;  // where continuing pieces begin
  int unk_;
  u32 max_chars_;
  Specials specials_;
};

struct Audit {
  u64 words = 0, pieces = 0, unknown = 0, continued = 0;
  std::unordered_map<u32, Seen> missing;  // characters of unknown words
};

inline Audit audit(const Table& words, const WordPiece& vocabulary, unsigned threads) {
  std::vector<Audit> parts(std::max(1u, threads));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    std::vector<int> ids;
    Audit& sum = parts[t];
    words.parts[p].each([&](const Entry& e) {
      int first = -1;
      u64 n = 0;
      vocabulary.segment(e.view(), ids, [&](int id) {
        first = id;
        ++n;
      });
      sum.words += e.count;
      sum.pieces += e.count * n;
      sum.continued += n > 1 ? e.count : 0;
      if (n != 1 || first != vocabulary.unk()) return;
      sum.unknown += e.count;
      vocabulary.unspelt(e.view(),
                         [&](u32 c, u32 i) { sum.missing[c].add(e.count, e.first, i); });
    });
  });
  Audit all = std::move(parts[0]);
  for (std::size_t t = 1; t < parts.size(); ++t) {
    all.words += parts[t].words;
    all.pieces += parts[t].pieces;
    all.unknown += parts[t].unknown;
    all.continued += parts[t].continued;
    merge(all.missing, parts[t].missing);
  }
  return all;
}

// The paper's count: by piece of the new vocabulary.
struct Replacements {
  std::vector<Seen> replaced;  // where the unit has fewer unknowns than under the old vocabulary
  std::vector<Seen> overall;

  explicit Replacements(std::size_t pieces) : replaced(pieces), overall(pieces) {}
};

namespace replacing {

class Counter {
 public:
  Counter(const WordPiece& old, const WordPiece& now, const std::vector<int>& as_old)
      : old_(old), now_(now), as_old_(as_old), sums(now.pieces().size()) {}

  void word(std::string_view word, u64 offset = 0) {
    if (after_.empty()) offset_ = offset;
    old_.segment(word, ids_, [&](int id) { before_.push_back(id); });
    now_.segment(word, ids_, [&](int id) { after_.push_back(id); });
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
      sums.overall[i].add(count, first, place);
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
  std::vector<int> before_, after_, ids_;
  u64 offset_ = 0;

 public:
  Replacements sums;
};

// An entry is a unit, or several where Unicode's white space parts it and it is ``parted``.
struct Sink {
  Counter& to;
  const Entry& from;
  bool parted;

  void word(std::string_view text, u64 offset) { to.word(text, offset); }
  void special(const std::pair<std::string, int>& item, u64 offset) { to.special(item, offset); }
  void gap() {
    if (parted) to.close(from.count, from.first);
  }
  void removed(u32, u64) {}
};

}  // namespace replacing

// A unit with fewer unknown pieces under ``now`` credits each occurrence of a piece that is not
// among its pieces under ``old``. Units are the words of ``table`` or, where ``rules`` are given,
// the white-space tokens in it, or with ``parted`` false each entry whole. No token may be hard.
inline Replacements replacements(const Table& table, const WordPiece& old, const WordPiece& now,
                                 const Rules* rules, bool parted, unsigned threads) {
  std::vector<int> as_old;
  for (const std::string& piece : now.pieces()) {
    const int id = old.id(piece);
    as_old.push_back(id < 0 ? -2 : id);
  }
  std::vector<replacing::Counter> parts;
  parts.reserve(std::max(1u, threads));
  for (unsigned t = 0; t < std::max(1u, threads); ++t) parts.emplace_back(old, now, as_old);
  each_partition(threads, [&](std::size_t p, unsigned t) {
    std::string buffer;
    table.parts[p].each([&](const Entry& e) {
      if (rules) {
        replacing::Sink sink{parts[t], e, parted};
        split(e.view(), *rules, old.specials(), buffer, sink);
      } else {
        parts[t].word(e.view());
      }
      parts[t].close(e.count, e.first);
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

// What one fresh piece does for the words of a text.
struct Explained {
  u64 replaced = 0;  // occurrences of words that were unknown, and now have the piece
  std::vector<const Entry*> words;  // the most telling that have it
};

// For each piece of ``fresh``, ids of ``now``: words that were unknown first, then the frequent.
inline std::vector<Explained> explain(const Table& words, const WordPiece& old,
                                      const WordPiece& now, const std::vector<int>& fresh,
                                      std::size_t examples, unsigned threads) {
  struct Told {
    const Entry* entry;
    bool unknown;
    bool operator<(const Told& o) const {
      if (unknown != o.unknown) return unknown;
      if (entry->count != o.entry->count) return entry->count > o.entry->count;
      return entry->first < o.entry->first;
    }
  };
  struct Part {
    std::vector<u64> replaced;
    std::vector<std::vector<Told>> told;
  };
  const auto keep_best = [&](std::vector<Told>& told) {
    std::sort(told.begin(), told.end());
    if (told.size() > examples) told.resize(examples);
  };
  std::vector<int> rank(now.pieces().size(), -1);
  for (std::size_t i = 0; i < fresh.size(); ++i) rank[fresh[i]] = static_cast<int>(i);
  std::vector<Part> parts(std::max(1u, threads));
  for (Part& part : parts) {
    part.replaced.resize(fresh.size());
    part.told.resize(fresh.size());
  }
  each_partition(threads, [&](std::size_t p, unsigned t) {
    std::vector<int> ids, held;
    Part& part = parts[t];
    words.parts[p].each([&](const Entry& e) {
      held.clear();
      now.segment(e.view(), ids, [&](int id) {
        if (rank[id] >= 0) held.push_back(rank[id]);
      });
      if (held.empty()) return;
      bool unknown = false;
      old.segment(e.view(), ids, [&](int id) { unknown = id == old.unk(); });
      std::sort(held.begin(), held.end());
      held.erase(std::unique(held.begin(), held.end()), held.end());
      for (int i : held) {
        part.replaced[i] += unknown ? e.count : 0;
        part.told[i].push_back({&e, unknown});
        if (part.told[i].size() >= 64 + 2 * examples) keep_best(part.told[i]);
      }
    });
  });
  std::vector<Explained> all(fresh.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    std::vector<Told> told;
    for (const Part& part : parts) {
      all[i].replaced += part.replaced[i];
      told.insert(told.end(), part.told[i].begin(), part.told[i].end());
    }
    keep_best(told);
    for (const Told& one : told) all[i].words.push_back(one.entry);
  }
  return all;
}

}  // namespace specialize
