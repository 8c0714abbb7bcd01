// Audit of a vocabulary on a text; reference implementation: specialize/vocab/audit/audit.py.
//
// Words are segmented as tokens are split, although many words occur in several tokens: a table of
// words costs more than it saves.
#pragma once

#include "wordpiece.hpp"

namespace specialize {

struct Audit {
  u64 words = 0, pieces = 0, unknown = 0, continued = 0;
  std::unordered_map<u32, Seen> missing;  // characters of unknown words

  // ``n``: the number of pieces of the word, 0 if it is unknown.
  void add(std::string_view word, u64 count, u64 first, u64 n, const WordPiece& vocabulary) {
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
};

inline Audit audit(const Table& words, const WordPiece& vocabulary, unsigned threads) {
  std::vector<Audit> parts(std::max(1u, threads));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    words.parts[p].each([&](const Entry& e) {
      const u64 n = vocabulary.count(e.view());
      parts[t].add(e.view(), e.count(), e.first(), n, vocabulary);
    });
  });
  Audit all;
  for (const Audit& part : parts) all.add(part);
  return all;
}

// The audit of tokens, including their parts that are not words.
struct TokenAudit : Apart {
  Audit words;
};

namespace auditing {

struct Sink : wording::Beside {
  Audit& words;
  const WordPiece& vocabulary;

  void word(std::string_view text, u64 offset) {
    words.add(text, from.count(), from.first() + offset, vocabulary.count(text), vocabulary);
  }
};

}  // namespace auditing

inline TokenAudit audit_tokens(const Table& tokens, const Rules& rules, const WordPiece& vocabulary,
                               unsigned threads) {
  std::vector<TokenAudit> parts(std::max(1u, threads));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    TokenAudit& to = parts[t];
    std::string buffer;
    tokens.parts[p].each([&](const Entry& e) {
      auditing::Sink sink{{to, e}, to.words, vocabulary};
      split_or_leave(e, rules, vocabulary.specials(), buffer, to.hard, sink);
    });
  });
  TokenAudit all;
  for (const TokenAudit& part : parts) {
    all.Apart::add(part);
    all.words.add(part.words);
  }
  return all;
}

}  // namespace specialize
