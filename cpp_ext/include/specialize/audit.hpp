// How well a vocabulary serves a text: the definition is specialize/vocab/audit.py.
//
// A token is split and its words are segmented at once, though many words stand in several tokens:
// a table of the words costs more than it saves.
#pragma once

#include "wordpiece.hpp"

namespace specialize {

struct Audit {
  u64 words = 0, pieces = 0, unknown = 0, continued = 0;
  std::unordered_map<u32, Seen> missing;  // characters of unknown words

  void add(std::string_view word, u64 count, u64 first, const WordPiece& vocabulary) {
    const u64 n = pieces_of(word, vocabulary);
    words += count;
    pieces += count * std::max<u64>(n, 1);
    continued += n > 1 ? count : 0;
    if (n) return;
    unknown += count;
    vocabulary.unspelt(word, [&](u32 c, u32 i) { missing[c].add(count, first, i); });
  }

  void add(const Audit& o) {
    words += o.words;
    pieces += o.pieces;
    unknown += o.unknown;
    continued += o.continued;
    merge(missing, o.missing);
  }

 private:
  // 0: the word is unknown
  static u64 pieces_of(std::string_view word, const WordPiece& vocabulary) {
    u64 n = 0;
    int last = vocabulary.unk();
    if (const auto* special = vocabulary.specials().exactly(word)) {
      last = special->second;
      n = 1;
    } else if (!vocabulary.cover(word, [&](int id) {
                 last = id;
                 ++n;
               })) {
      return 0;
    }
    return n == 1 && last == vocabulary.unk() ? 0 : n;
  }
};

inline Audit audit(const Table& words, const WordPiece& vocabulary, unsigned threads) {
  std::vector<Audit> parts(std::max(1u, threads));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    words.parts[p].each(
        [&](const Entry& e) { parts[t].add(e.view(), e.count(), e.first(), vocabulary); });
  });
  Audit all;
  for (const Audit& part : parts) all.add(part);
  return all;
}

// The same of tokens, and what else they consist of.
struct TokenAudit : Apart {
  Audit words;
};

namespace auditing {

struct Sink : wording::Beside {
  Audit& words;
  const WordPiece& vocabulary;

  void word(std::string_view text, u64 offset) {
    words.add(text, from.count(), from.first() + offset, vocabulary);
  }
};

}  // namespace auditing

// Throws std::invalid_argument for text that is not UTF-8.
inline TokenAudit audit_tokens(const Table& tokens, const Rules& rules, const WordPiece& vocabulary,
                               unsigned threads) {
  std::vector<TokenAudit> parts(std::max(1u, threads));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    TokenAudit& to = parts[t];
    wording::split_each(
        tokens.parts[p], rules, vocabulary.specials(), to.hard,
        [&](const Entry& e) { return auditing::Sink{{to, e}, to.words, vocabulary}; });
  });
  TokenAudit all;
  for (const TokenAudit& part : parts) {
    all.Apart::add(part);
    all.words.add(part.words);
  }
  return all;
}

}  // namespace specialize
