// Unigram: the segmentation of a word with the highest total score, from left to right.
//
// Reference: the tokenizers library. The first of equal scores wins, a character without a piece is
// unknown, and consecutive unknown characters are one piece.
#pragma once

#include <unordered_set>

#include "trie.hpp"
#include "units.hpp"

namespace specialize {

class Unigram {
 public:
  static constexpr const char* kMark = "\u2581";

  struct Path {
    std::size_t pieces = 0;
    std::vector<std::pair<u32, u32>> unknown;  // from, to
  };

  Unigram(std::vector<std::pair<std::string, double>> pieces, double unknown)
      : trie_(trie_of(pieces)), unknown_(unknown) {
    for (const auto& piece : pieces) scores_.push_back(piece.second);
  }

  void segment(std::string_view word, Path& path) {
    nodes_.assign(word.size() + 1, Node{});
    for (u32 at = 0, n; at < word.size(); at += n) {
      character(word.data() + at, n);
      step(word, at, n);
    }
    path.pieces = 0;
    path.unknown.clear();
    for (u32 end = static_cast<u32>(word.size()); end > 0; end = nodes_[end].from) {
      const Node& node = nodes_[end];
      if (node.known) {
        ++path.pieces;
      } else if (!path.unknown.empty() && path.unknown.back().first == end) {
        path.unknown.back().first = node.from;
      } else {
        ++path.pieces;
        path.unknown.emplace_back(node.from, end);
      }
    }
    // subtle: individually unknown characters may form a piece together
    std::erase_if(path.unknown, [&](auto part) {
      return trie_.find(false, word.substr(part.first, part.second - part.first)) >= 0;
    });
  }

 private:
  static constexpr u32 kNowhere = 0xffffffff;

  static Trie trie_of(const std::vector<std::pair<std::string, double>>& pieces) {
    std::vector<Trie::Key> keys;
    for (const auto& [text, score] : pieces)
      keys.push_back({text, false, static_cast<int>(keys.size())});
    return Trie(std::move(keys));
  }

  struct Node {  // the best path to a position
    double score = 0;
    u32 from = kNowhere;
    bool known = false;

    void offer(double other, u32 at, bool is_known) {
      if (from == kNowhere || other > score) *this = {other, at, is_known};
    }
  };

  void step(std::string_view word, u32 at, u32 width) {
    const double here = nodes_[at].score;
    bool single = false;
    const char* const begin = word.data();
    trie_.each(false, begin + at, begin + word.size(), [&](int id, const char* to) {
      const std::size_t end = static_cast<std::size_t>(to - begin);
      nodes_[end].offer(scores_[static_cast<std::size_t>(id)] + here, at, true);
      single = single || end - at == width;
    });
    if (!single) nodes_[at + width].offer(unknown_ + here, at, false);
  }

  Trie trie_;
  std::vector<double> scores_;
  double unknown_;
  std::vector<Node> nodes_;
};

// Metaspace on one-word units: whether the mark of the space is prepended.
struct Marks {
  bool later;  // in a unit that begins with a space
  bool first;  // in the first of a line
};

// Totals of units. In the rest: units of several words, with special pieces, and ``hard`` ones.
class UnigramCount {
 public:
  UnigramCount(const Table& units, const Unigram& unigram, Marks marks, const Contents& special,
               const std::vector<std::string>& hard)
      : units_(units), unigram_(unigram), marks_(marks), special_(special),
        hard_(hard.begin(), hard.end()) {}

  UnitAudit run(unsigned threads) const {
    threads = std::max(1u, threads);
    std::vector<UnitAudit> sums(threads);
    std::vector<Unigram> models(threads, unigram_);
    each_partition(threads, [&](std::size_t p, unsigned t) { count(p, models[t], sums[t]); });
    return UnitAudit::sum(std::move(sums));
  }

 private:
  void count(std::size_t p, Unigram& by, UnitAudit& sum) const {
    Unigram::Path path;
    std::string word;
    units_.parts[p].each([&](const Entry& e) {
      std::string_view text = sum.measure(e);
      const bool hard = e.view()[0] == '\n' || hard_.contains(e.view()) || special_.in(text);
      if (hard) return sum.rest.push_back(&e);
      const bool later = text[0] == ' ';
      text.remove_prefix(later);
      if (!one_word(text)) return sum.rest.push_back(&e);
      const bool marked = later ? marks_.later : marks_.first;
      word.assign(marked ? Unigram::kMark : "").append(text);
      by.segment(word, path);
      add(e, word, marked ? 3 : 0, path, sum);
    });
  }

  static void add(const Entry& e, std::string_view word, u32 mark, const Unigram::Path& path,
                  UnitAudit& sum) {
    sum.words += e.count();
    sum.pieces += e.count() * path.pieces;
    sum.continued += path.pieces > 1 ? e.count() : 0;
    sum.unknown_words += path.unknown.empty() ? 0 : e.count();
    sum.unknown_pieces += e.count() * path.unknown.size();
    for (auto [from, to] : path.unknown)
      for (u32 at = from, n; at < to; at += n) {
        const u32 c = character(word.data() + at, n);
        sum.missing[c].add(e.count(), e.first(), at - mark);
      }
  }

  // Whether a text contains neither white space nor its mark.
  static bool one_word(std::string_view text) {
    const char *p = text.data(), *const end = p + text.size();
    if (p == end) return false;
    for (u32 n; p < end; p += n) {
      const u32 c = character(p, n);
      if (scanning::parts_tokens(*p) || strippable(c) || c == 0x2581) return false;
    }
    return true;
  }

  const Table& units_;
  const Unigram& unigram_;
  Marks marks_;
  const Contents& special_;
  std::unordered_set<std::string_view> hard_;
};

}  // namespace specialize
