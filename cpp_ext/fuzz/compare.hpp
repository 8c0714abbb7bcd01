// Results of the headers as plain values, to be compared.
#pragma once

#include <cstdio>

#include "naive.hpp"
#include "specialize/audit.hpp"
#include "specialize/choose.hpp"
#include "specialize/effects.hpp"
#include "specialize/text.hpp"
#include "specialize/train.hpp"
#include "specialize/replacements.hpp"

namespace compare {

using specialize::u32;
using specialize::u64;

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "differs: %s\n", what);
  __builtin_trap();
}

inline naive::Tallies<std::string> plain(const specialize::Table& table) {
  naive::Tallies<std::string> all;
  for (const specialize::Entry* e : table.ordered()) {
    check(!all.contains(std::string(e->view())), "a text stands once in a table");
    all[std::string(e->view())] = {e->count(), e->first()};
  }
  check(all.size() == table.size(), "size of a table");
  return all;
}

template <class Key>
naive::Tallies<Key> plain(const std::unordered_map<Key, specialize::Seen>& seen) {
  naive::Tallies<Key> all;
  for (const auto& [key, one] : seen) all[key] = {one.count, one.first};
  return all;
}

// All but the words.
inline naive::Words plain(const specialize::Apart& apart) {
  naive::Words all{{}, plain(apart.specials), plain(apart.removed), {}};
  for (const specialize::Entry* e : apart.hard) all.hard.insert(std::string(e->view()));
  return all;
}

inline naive::Words plain(const specialize::Words& words) {
  naive::Words all = plain(static_cast<const specialize::Apart&>(words));
  all.words = plain(words.table);
  return all;
}

inline bool same(const naive::Words& a, const naive::Words& b) {
  return a.words == b.words && a.specials == b.specials && a.removed == b.removed &&
         a.hard == b.hard;
}

// But for the words.
inline bool same(const specialize::Apart& a, const naive::Words& b) {
  const naive::Words apart = plain(a);
  return apart.specials == b.specials && apart.removed == b.removed && apart.hard == b.hard;
}

// [(key, count)] by first occurrence, as python.hpp hands them to Python.
template <class Key>
std::vector<std::pair<Key, u64>> ranked(std::vector<std::pair<Key, specialize::Seen>> all) {
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) {
    return std::pair(a.second.first, a.second.place) < std::pair(b.second.first, b.second.place);
  });
  std::vector<std::pair<Key, u64>> found;
  for (const auto& [key, seen] : all) found.emplace_back(key, seen.count);
  return found;
}

inline std::vector<std::pair<int, u64>> by_piece(const std::vector<specialize::Seen>& sums) {
  std::vector<std::pair<int, specialize::Seen>> all;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (sums[i].count) all.emplace_back(static_cast<int>(i), sums[i]);
  return ranked(std::move(all));
}

inline bool same(const specialize::Audit& a, const naive::Audit& b) {
  return a.words == b.words && a.pieces == b.pieces && a.unknown == b.unknown &&
         a.continued == b.continued &&
         ranked<u32>({a.missing.begin(), a.missing.end()}) == b.missing.items;
}

inline bool same(const specialize::Replacements& a, const naive::Replacements& b) {
  return by_piece(a.replaced) == b.replaced.items && by_piece(a.overall) == b.overall.items;
}

using Told = std::vector<std::pair<u64, std::vector<std::string>>>;

inline Told plain(const std::vector<specialize::Explained>& explained) {
  Told told;
  for (const specialize::Explained& one : explained) {
    std::vector<std::string> words;
    for (const specialize::Entry* e : one.words) words.emplace_back(e->view());
    told.emplace_back(one.replaced, std::move(words));
  }
  return told;
}

inline std::vector<std::pair<u64, u64>> plain(const std::vector<specialize::Covered>& covered) {
  std::vector<std::pair<u64, u64>> sums;
  for (const specialize::Covered& one : covered) sums.emplace_back(one.pieces, one.unknown);
  return sums;
}

// What ``chooser`` lacks, then ``n`` pieces it chooses of ``candidates``.
inline std::vector<std::string> chosen(specialize::Chooser chooser,
                                       const std::vector<std::string>& candidates, int n) {
  std::vector<std::string> pieces = chooser.needs();
  if (const auto first = chooser.next_missing(2)) pieces.push_back(*first);
  chooser.consider(candidates);
  while (n--)
    if (const auto next = chooser.next_best()) pieces.push_back(*next);
  return pieces;
}

// The tokens that a sieve keeps of the whole blocks of a text.
inline std::vector<std::pair<u64, u64>> kept(specialize::sifting::Look look,
                                             const specialize::Sieve& sieve,
                                             const std::string& text) {
  using specialize::sifting::Found;
  const auto found = std::make_unique<Found>();
  std::vector<std::pair<u64, u64>> all;
  for (std::size_t at = 0; at + 66 <= text.size(); at += 64 * Found::kBlocks) {
    found->n = 0;
    look(sieve, &text[at], std::min((text.size() - at - 2) / 64, Found::kBlocks), at, *found);
    for (std::size_t i = 0; i < found->n; ++i)
      all.emplace_back(found->spans[i].begin, found->spans[i].end);
  }
  return all;
}

// They are the same, whatever a machine can do.
inline void check_looks(const specialize::Sieve& sieve, const std::string& text) {
  namespace sifting = specialize::sifting;
  const auto plainly = kept(sifting::look_plain, sieve, text);
  check(kept(sifting::kLook, sieve, text) == plainly, "what a sieve keeps");
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
    check(kept(sifting::look_avx2, sieve, text) == plainly, "what a sieve keeps, by AVX2");
#endif
}

}  // namespace compare
