// Byte-pair training from word counts: a WordPiece vocabulary from characters, or more pieces for
// any BPE; ties go to the pair of older pieces. Reference: specialize/vocab/train/byte_pairs.py.
#pragma once

#include <queue>
#include <string>
#include <unordered_set>
#include <utility>

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
    std::unordered_map<u32, std::string> names = {};  // of characters that represent pieces
    std::unordered_set<std::string> avoid = {};       // texts never to merge
  };

  struct Merged {
    std::string piece;
    u64 count;  // of its first merge
  };

  // Throws TooSmall if special pieces and characters exceed ``size``.
  struct TooSmall {
    std::size_t needed;
  };

  Trainer(const Table& words, Options options) : options_(std::move(options)) {
    for (const Partition& part : words.parts)
      part.each([&](const Entry& e) { words_.push_back(&e); });
    u32 highest = 0;
    for (const Entry* e : words_)
      each_character(e->view(), [&](u32 c) { highest = std::max(highest, c); });
    characters_ = std::size_t{highest} + 1;
  }

  std::vector<std::string> train() {
    spell(letters());
    if (pieces_.size() > options_.size) throw TooSmall{pieces_.size()};
    merge_all();
    return std::move(pieces_);
  }

  // At most ``more`` pieces, merged from words whose characters represent ``names``.
  std::vector<Merged> train_further(std::size_t more) {
    spell(letters());
    const std::size_t known = pieces_.size();
    options_.size = known + more;
    merge_all();
    std::vector<Merged> merged;
    for (std::size_t i = 0; i < gains_.size(); ++i)
      merged.push_back({std::move(pieces_[known + i]), gains_[i]});
    return merged;
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

  // The most frequent characters in code point order; ties go to the lower.
  std::vector<u32> letters() const {
    std::vector<u64> counts(characters_);
    for (const Entry* e : words_)
      each_character(e->view(), [&](u32 c) { counts[c] += e->count(); });
    std::vector<u32> ranked;
    for (u32 c = 0; c < characters_; ++c)
      if (counts[c]) ranked.push_back(c);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [&](u32 a, u32 b) { return counts[a] > counts[b]; });
    ranked.resize(std::min(ranked.size(), options_.alphabet));
    std::sort(ranked.begin(), ranked.end());
    return ranked;
  }

  // Writes words over ``letters`` as symbols, and the initial pieces.
  void spell(const std::vector<u32>& letters) {
    enum : u8 { unknown, initial_only, inside_too };
    std::vector<u8> use(characters_, unknown);
    for (u32 c : letters) use[c] = initial_only;
    const auto spelt = [&](const Entry* e) {
      bool all = true;
      each_character(e->view(), [&](u32 c) { all = all && use[c] != unknown; });
      return all;
    };
    std::erase_if(words_, [&](const Entry* e) { return !spelt(e); });
    for (const Entry* e : words_) {
      bool inside = false;
      each_character(e->view(), [&](u32 c) {
        if (inside) use[c] = inside_too;
        inside = true;
      });
    }
    for (const std::string& piece : options_.special) age_of(piece);
    std::vector<u32> initial(characters_), continuing(characters_);
    for (u32 c : letters) initial[c] = age_of(name_of(c));
    for (u32 c : letters)
      if (options_.closed || use[c] == inside_too)
        continuing[c] = age_of(options_.prefix + name_of(c));
    spelt_.reserve(words_.size());
    for (const Entry* e : words_) {
      const std::size_t start = symbols_.size();
      each_character(e->view(), [&](u32 c) {
        symbols_.push_back(symbols_.size() == start ? initial[c] : continuing[c]);
      });
      spelt_.push_back({start, static_cast<std::int64_t>(e->count()),
                        static_cast<u32>(symbols_.size() - start)});
    }
  }

  void merge_all() {
    for (std::size_t w = 0; w < spelt_.size(); ++w) {
      const u32* s = symbols_.data() + spelt_[w].start;
      for (u32 k = 0; k + 1 < spelt_[w].length; ++k) {
        Info& info = of(pair_of(s[k], s[k + 1]));
        info.count += spelt_[w].count;
        if (info.places.empty() || info.places.back() != w)
          info.places.push_back(static_cast<u32>(w));
      }
    }
    for (const Info& info : infos_) push(info.pair, info.count);
    begun_ = pieces_.size();
    while (!heap_.empty() && pieces_.size() < options_.size) {
      const Candidate top = heap_.top();
      heap_.pop();
      Info& info = of(top.pair);
      if (info.count != static_cast<std::int64_t>(top.count)) {
        push(top.pair, info.count);  // outdated: push it again with its current count
        continue;
      }
      const std::string text = spelling(top.pair);
      if (options_.avoid.contains(text)) continue;
      const u32 merged = age_of(text);
      if (merged + 1 == pieces_.size() && gains_.size() < pieces_.size() - begun_)
        gains_.push_back(top.count);
      merge(top.pair, merged, std::exchange(info.places, {}));
    }
  }

  std::string spelling(Pair pair) const {
    const std::string &head = pieces_[pair >> 32], &tail = pieces_[static_cast<u32>(pair)];
    return head + (tail.starts_with(options_.prefix) ? tail.substr(options_.prefix.size()) : tail);
  }

  void merge(Pair pair, u32 merged, std::vector<u32> places) {
    const u32 left = static_cast<u32>(pair >> 32), right = static_cast<u32>(pair);
    born_.clear();
    ++round_;
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (std::size_t i = 0; i < places.size(); ++i) {  // prefetch the memory of each word
      if (i + 16 < places.size()) __builtin_prefetch(&spelt_[places[i + 16]]);
      if (i + 8 < places.size()) __builtin_prefetch(symbols_.data() + spelt_[places[i + 8]].start);
      merge_in(places[i], left, right, merged);
    }
    of(pair) = {pair, 0, {}, round_};
    for (Pair born : born_) push(born, of(born).count);
  }

  void merge_in(u32 w, u32 left, u32 right, u32 merged) {
    Spelt& word = spelt_[w];
    u32* s = &symbols_[word.start];
    const std::int64_t count = word.count;
    u32& n = word.length;
    for (u32 k = 0; k + 1 < n; ++k) {
      if (s[k] != left || s[k + 1] != right) continue;
      if (k > 0) {
        of(pair_of(s[k - 1], left)).count -= count;
        bear(pair_of(s[k - 1], merged), count, w);
      }
      if (k + 2 < n) {
        of(pair_of(right, s[k + 2])).count -= count;
        bear(pair_of(merged, s[k + 2]), count, w);
      }
      s[k] = merged;
      std::memmove(s + k + 1, s + k + 2, (n - k - 2) * sizeof(u32));
      --n;
    }
  }

  void bear(Pair pair, std::int64_t count, u32 w) {
    Info& info = of(pair);
    info.count += count;
    info.places.push_back(w);
    if (std::exchange(info.round, round_) != round_) born_.push_back(pair);
  }

  void push(Pair pair, std::int64_t count) {
    if (count > 0 && static_cast<u64>(count) >= options_.min_count)
      heap_.push({static_cast<u64>(count), pair});
  }

  // The age of a piece is its id; a new piece is the youngest.
  u32 age_of(const std::string& piece) {
    const auto [found, fresh] = ages_.try_emplace(piece, static_cast<u32>(pieces_.size()));
    if (fresh) pieces_.push_back(piece);
    return found->second;
  }

  static constexpr u32 kNone = 0xffffffff;

  struct Info {
    Pair pair;
    std::int64_t count = 0;
    std::vector<u32> places;  // words that may contain the pair
    u32 round = 0;            // of the last merge that increased its count
  };

  // The entry of a pair, possibly new. Valid until another pair is looked up.
  Info& of(Pair pair) {
    if (infos_.size() * 2 >= index_.size()) {
      index_.assign(std::max<std::size_t>(1024, index_.size() * 4), Slot{});
      for (u32 i = 0; i < infos_.size(); ++i) slot_of(infos_[i].pair) = {infos_[i].pair, i};
    }
    Slot& slot = slot_of(pair);
    if (slot.info == kNone) {
      slot = {pair, static_cast<u32>(infos_.size())};
      infos_.push_back({pair, 0, {}, 0});
    }
    return infos_[slot.info];
  }

  struct Slot {
    Pair pair = 0;
    u32 info = kNone;  // its index there
  };

  Slot& slot_of(Pair pair) {
    std::size_t at = fold(pair, 0x9e3779b97f4a7c15ull) & (index_.size() - 1);
    while (index_[at].info != kNone && index_[at].pair != pair) at = (at + 1) & (index_.size() - 1);
    return index_[at];
  }

  std::string name_of(u32 c) const {
    const auto found = options_.names.find(c);
    return found == options_.names.end() ? text_of(c) : found->second;
  }

  static std::string text_of(u32 c) {
    std::string text;
    encode(c, text);
    return text;
  }
  static Pair pair_of(u32 left, u32 right) { return u64{left} << 32 | right; }

  Options options_;
  std::vector<const Entry*> words_;
  std::size_t characters_ = 0;     // one more than the highest code point
  struct Spelt {
    std::size_t start;  // of its symbols
    std::int64_t count;
    u32 length;
  };
  std::vector<u32> symbols_;  // of all words, concatenated
  std::vector<Spelt> spelt_;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, u32> ages_;
  std::vector<Info> infos_;  // of all pairs so far
  std::vector<Slot> index_;  // open addressing
  std::priority_queue<Candidate> heap_;
  std::vector<Pair> born_;  // pairs increased by a merge, without repeats
  u32 round_ = 0;
  std::size_t begun_ = 0;     // pieces before the first merge
  std::vector<u64> gains_;    // of later pieces
};

}  // namespace specialize
