// Units and their tokenizers as plain values, and the naive ones made native: see compare.hpp.
#pragma once

#include "compare.hpp"
#include "naive_units.hpp"

namespace compare {

// [(text, count)] by first occurrence.
inline std::vector<std::pair<std::string, u64>> counts(const specialize::Table& table) {
  std::vector<std::pair<std::string, u64>> all;
  for (const specialize::Entry* e : table.ordered()) all.emplace_back(e->view(), e->count());
  return all;
}

inline bool same(const specialize::UnitAudit& a, const naive::UnitAudit& b) {
  std::vector<std::string> rest;
  for (const specialize::Entry* e : a.rest) rest.emplace_back(e->view());
  return a.words == b.words && a.pieces == b.pieces && a.unknown_words == b.unknown_words &&
         a.unknown_pieces == b.unknown_pieces && a.continued == b.continued &&
         a.characters == b.characters && a.bytes == b.bytes && rest == b.rest &&
         ranked<u32>({a.missing.begin(), a.missing.end()}) == b.missing.items;
}

inline std::string native(const naive::Loose& loose) {
  std::string solid(specialize::Solid::kListed, '\1');
  for (u32 c : loose)
    if (c < solid.size()) solid[c] = 0;
  return solid;
}

inline std::string native(const naive::Kinds& kinds) {
  std::string all(kinds.empty() ? 0 : kinds.rbegin()->first + 1, '\0');
  for (const auto& [c, kind] : kinds) all[c] = static_cast<char>(kind);
  return all;
}

inline specialize::ByteBpe native(const naive::Bpe& bpe) {
  std::map<std::string, u32> ids;
  const auto id = [&](const std::string& piece) {
    return ids.try_emplace(piece, static_cast<u32>(ids.size())).first->second;
  };
  std::vector<u32> bytes;
  for (int byte = 0; byte < 256; ++byte)
    bytes.push_back(id(std::string(1, static_cast<char>(byte))));
  std::vector<specialize::ByteBpe::Merge> merges;
  for (const auto& [left, right] : bpe.merges)
    merges.push_back({id(left), id(right), id(left + right)});
  return {bytes.data(), merges, bpe.whole};
}

inline specialize::Unigram native(const naive::Unigram& unigram) {
  return {{unigram.pieces.begin(), unigram.pieces.end()}, unigram.unknown};
}

// The character that a piece of an age stands as in words: of one byte or of two.
inline u32 letter(std::size_t age) { return static_cast<u32>(0x7d + age); }


}  // namespace compare
