// Training once more, and merging further: all pairs are counted anew before every merge.
#pragma once

#include "naive.hpp"
#include "specialize/train.hpp"

namespace naive {

class Trainer {
 public:
  Trainer(const Tallies<std::string>& words, const specialize::Trainer::Options& options)
      : options_(options) {
    const std::set<std::string> alphabet = frequent(words);
    for (const auto& [word, tally] : words) {
      std::vector<std::string> spelt = letters(word);
      bool all = true;
      for (const std::string& letter : spelt) all = all && alphabet.contains(letter);
      if (!all) continue;
      for (std::size_t i = 1; i < spelt.size(); ++i) spelt[i] = options.prefix + spelt[i];
      words_.push_back({spelt, tally.count});
    }
    std::set<std::string> seen;
    for (const auto& [symbols, count] : words_) seen.insert(symbols.begin(), symbols.end());
    for (const std::string& piece : options.special) add(piece);
    for (const std::string& letter : alphabet) add(letter);
    for (const std::string& letter : alphabet)
      if (options.closed || seen.contains(options.prefix + letter)) add(options.prefix + letter);
  }

  // Special pieces and characters, and after train() all pieces.
  const std::vector<std::string>& pieces() const { return pieces_; }

  void train() {
    while (pieces_.size() < options_.size) {
      const auto pair = best();
      if (pair.first.empty()) return;
      const std::string merged = pair.first + bare(pair.second);
      for (auto& [symbols, count] : words_)
        for (std::size_t k = 0; k + 1 < symbols.size(); ++k)
          if (symbols[k] == pair.first && symbols[k + 1] == pair.second) {
            symbols[k] = merged;
            symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(k) + 1);
          }
      add(merged);
    }
  }

 private:
  using Pair = std::pair<std::string, std::string>;

  // UTF-8 sorts as its code points do.
  std::set<std::string> frequent(const Tallies<std::string>& words) const {
    std::map<std::string, u64> counts;
    for (const auto& [word, tally] : words)
      for (const std::string& letter : letters(word)) counts[letter] += tally.count;
    std::set<std::pair<u64, std::string>> ranked;  // the most frequent, so the least ~count, first
    for (const auto& [letter, count] : counts) ranked.insert({~count, letter});
    std::set<std::string> chosen;
    for (const auto& [rank, letter] : ranked)
      if (chosen.size() < options_.alphabet) chosen.insert(letter);
    return chosen;
  }

  // The most frequent pair, of the oldest pieces where several are; empty where none is left.
  Pair best() const {
    std::map<Pair, u64> counts;
    for (const auto& [symbols, count] : words_)
      for (std::size_t k = 0; k + 1 < symbols.size(); ++k)
        counts[{symbols[k], symbols[k + 1]}] += count;
    Pair found;
    u64 most = 0;
    for (const auto& [pair, count] : counts) {
      if (count < options_.min_count || count < most) continue;
      if (count == most && ages(pair) > ages(found)) continue;
      most = count;
      found = pair;
    }
    return found;
  }

  std::pair<u64, u64> ages(const Pair& pair) const { return {age(pair.first), age(pair.second)}; }
  u64 age(const std::string& piece) const {
    return static_cast<u64>(std::find(pieces_.begin(), pieces_.end(), piece) - pieces_.begin());
  }
  std::string bare(const std::string& piece) const {
    return piece.starts_with(options_.prefix) ? piece.substr(options_.prefix.size()) : piece;
  }
  void add(const std::string& piece) {
    if (age(piece) == pieces_.size()) pieces_.push_back(piece);
  }

  specialize::Trainer::Options options_;
  std::vector<std::pair<std::vector<std::string>, u64>> words_;
  std::vector<std::string> pieces_;
};

struct SpeltWord {
  std::vector<std::string> pieces;
  u64 count;
};

// At most ``more`` pieces merged from ``words``, whose pieces are ``known``, the oldest first.
inline std::vector<std::pair<std::string, u64>> merge_further(
    std::vector<SpeltWord> words, std::vector<std::string> known, std::size_t more, u64 min_count,
    const std::vector<std::string>& avoid) {
  const auto age = [&](const std::string& piece) {
    return std::find(known.begin(), known.end(), piece) - known.begin();
  };
  const auto has = [](const auto& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  std::vector<std::pair<std::string, u64>> merged;
  while (merged.size() < more) {
    std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, u64> counts;  // by age
    for (const auto& [pieces, count] : words)
      for (std::size_t k = 0; k + 1 < pieces.size(); ++k)
        if (!has(avoid, pieces[k] + pieces[k + 1]))
          counts[{age(pieces[k]), age(pieces[k + 1])}] += count;
    const auto best = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) {
      return a.second < b.second;  // of equal ones it takes the first
    });
    if (best == counts.end() || best->second < min_count) break;
    const std::string left = known[static_cast<std::size_t>(best->first.first)];
    const std::string right = known[static_cast<std::size_t>(best->first.second)];
    for (auto& [pieces, count] : words)
      for (std::size_t k = 0; k + 1 < pieces.size(); ++k)
        if (pieces[k] == left && pieces[k + 1] == right) {
          pieces[k] += right;
          pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(k) + 1);
        }
    if (has(known, left + right)) continue;
    known.push_back(left + right);
    merged.emplace_back(left + right, best->second);
  }
  return merged;
}

}  // namespace naive
