// Training a WordPiece vocabulary from word counts, as specialize/vocab/train.py defines it:
// byte-pair merges over characters, ties to the pair of older pieces.
#pragma once

#include <queue>
#include <string>

#include "rules.hpp"

namespace specialize {

class Trainer {
 public:
  struct Options {
    std::size_t size;
    std::vector<std::string> special;
    u64 min_count = 5;
    std::size_t alphabet = 1000;
    bool closed = false;
    std::string prefix = "##";
  };

  // Throws TooSmall where ``size`` does not hold special pieces and characters.
  struct TooSmall {
    std::size_t needed;
  };

  Trainer(const Table& words, Options options) : options_(std::move(options)) {
    for (const Partition& part : words.parts)
      part.each([&](const Entry& e) { words_.push_back(&e); });
    std::sort(words_.begin(), words_.end(),
              [](auto* a, auto* b) { return a->view() < b->view(); });
  }

  std::vector<std::string> train() {
    spell(letters());
    if (pieces_.size() > options_.size) throw TooSmall{pieces_.size()};
    merge_all();
    return std::move(pieces_);
  }

 private:
  using Pair = u64;  // left piece << 32 | right piece

  struct Candidate {
    u64 count;
    Pair pair;
    bool operator<(const Candidate& o) const {
      return count != o.count ? count < o.count : pair > o.pair;  // older pieces first
    }
  };

  // The most frequent characters; ties go to the lower code point.
  std::unordered_map<u32, bool> letters() const {
    std::unordered_map<u32, u64> counts;
    for (const Entry* e : words_) each_letter(e->view(), [&](u32 c) { counts[c] += e->count; });
    std::vector<std::pair<u32, u64>> ranked(counts.begin(), counts.end());
    std::sort(ranked.begin(), ranked.end(), [](auto& a, auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    ranked.resize(std::min(ranked.size(), options_.alphabet));
    std::unordered_map<u32, bool> chosen;  // -> stands inside a word
    for (auto& [c, n] : ranked) chosen[c] = false;
    return chosen;
  }

  template <class F>
  static void each_letter(std::string_view text, F f) {
    const char *p = text.data(), *const end = p + text.size();
    for (u32 n; p < end; p += n) f(decode(p, end, n));
  }

  // Writes the words that ``letters`` spell as symbols, and begins the pieces.
  void spell(std::unordered_map<u32, bool> letters) {
    std::vector<const Entry*> spelt;
    for (const Entry* e : words_) {
      bool all = true, inside = false;
      each_letter(e->view(), [&](u32 c) { all = all && letters.contains(c); });
      if (!all) continue;
      spelt.push_back(e);
      each_letter(e->view(), [&](u32 c) {
        if (inside) letters[c] = true;
        inside = true;
      });
    }
    words_.swap(spelt);
    for (const std::string& piece : options_.special) age_of(piece);
    std::vector<u32> sorted;
    for (auto& [c, inside] : letters) sorted.push_back(c);
    std::sort(sorted.begin(), sorted.end());
    std::unordered_map<u32, u32> initial, continuing;
    for (u32 c : sorted) initial[c] = age_of(text_of(c));
    for (u32 c : sorted)
      if (options_.closed || letters[c]) continuing[c] = age_of(options_.prefix + text_of(c));
    for (const Entry* e : words_) {
      starts_.push_back(symbols_.size());
      each_letter(e->view(), [&](u32 c) {
        const bool first = symbols_.size() == starts_.back();
        symbols_.push_back(first ? initial[c] : continuing[c]);
      });
    }
    starts_.push_back(symbols_.size());
    for (std::size_t w = 0; w < words_.size(); ++w)
      lengths_.push_back(static_cast<u32>(starts_[w + 1] - starts_[w]));
  }

  void merge_all() {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const u32* s = &symbols_[starts_[w]];
      for (u32 k = 0; k + 1 < lengths_[w]; ++k) {
        auto& [count, places] = pairs_[pair_of(s[k], s[k + 1])];
        count += static_cast<std::int64_t>(words_[w]->count);
        if (places.empty() || places.back() != w) places.push_back(static_cast<u32>(w));
      }
    }
    for (const auto& [pair, info] : pairs_) push(pair, info.count);
    while (!heap_.empty() && pieces_.size() < options_.size) {
      const Candidate top = heap_.top();
      heap_.pop();
      const auto found = pairs_.find(top.pair);
      const std::int64_t now = found == pairs_.end() ? 0 : found->second.count;
      if (now != static_cast<std::int64_t>(top.count)) {
        push(top.pair, now);  // outdated: put it back under its present count
        continue;
      }
      merge(top.pair, std::move(found->second.places));
    }
  }

  void merge(Pair pair, std::vector<u32> places) {
    const u32 left = static_cast<u32>(pair >> 32), right = static_cast<u32>(pair);
    const std::string& tail = pieces_[right];
    const bool marked = tail.starts_with(options_.prefix);
    const u32 merged = age_of(pieces_[left] + (marked ? tail.substr(options_.prefix.size()) : tail));
    born_.clear();
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (u32 w : places) merge_in(w, left, right, merged);
    pairs_.erase(pair);
    std::sort(born_.begin(), born_.end());
    born_.erase(std::unique(born_.begin(), born_.end()), born_.end());
    for (Pair born : born_)
      if (auto found = pairs_.find(born); found != pairs_.end()) push(born, found->second.count);
  }

  void merge_in(u32 w, u32 left, u32 right, u32 merged) {
    u32* s = &symbols_[starts_[w]];
    const auto count = static_cast<std::int64_t>(words_[w]->count);
    u32& n = lengths_[w];
    for (u32 k = 0; k + 1 < n; ++k) {
      if (s[k] != left || s[k + 1] != right) continue;
      if (k > 0) {
        pairs_[pair_of(s[k - 1], left)].count -= count;
        bear(pair_of(s[k - 1], merged), count, w);
      }
      if (k + 2 < n) {
        pairs_[pair_of(right, s[k + 2])].count -= count;
        bear(pair_of(merged, s[k + 2]), count, w);
      }
      s[k] = merged;
      std::memmove(s + k + 1, s + k + 2, (n - k - 2) * sizeof(u32));
      --n;
    }
  }

  void bear(Pair pair, std::int64_t count, u32 w) {
    auto& info = pairs_[pair];
    info.count += count;
    info.places.push_back(w);
    born_.push_back(pair);
  }

  void push(Pair pair, std::int64_t count) {
    if (count > 0 && static_cast<u64>(count) >= options_.min_count)
      heap_.push({static_cast<u64>(count), pair});
  }

  // The age of a piece is its id; a new one becomes the youngest.
  u32 age_of(const std::string& piece) {
    const auto [found, fresh] = ages_.try_emplace(piece, static_cast<u32>(pieces_.size()));
    if (fresh) pieces_.push_back(piece);
    return found->second;
  }

  static std::string text_of(u32 c) {
    std::string text;
    encode(c, text);
    return text;
  }
  static Pair pair_of(u32 left, u32 right) { return u64{left} << 32 | right; }

  struct Info {
    std::int64_t count = 0;
    std::vector<u32> places;  // words that may hold the pair
  };

  Options options_;
  std::vector<const Entry*> words_;
  std::vector<u32> symbols_;       // of all words, one after the other
  std::vector<std::size_t> starts_;
  std::vector<u32> lengths_;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, u32> ages_;
  std::unordered_map<Pair, Info> pairs_;
  std::priority_queue<Candidate> heap_;
  std::vector<Pair> born_;
};

}  // namespace specialize
