// Effects of fresh pieces on the words of a text: of each piece, and of the first n. Reference
// implementation: specialize/vocab/audit/coverage.py.
#pragma once

#include "wordpiece.hpp"

namespace specialize {

// The effect of one fresh piece.
struct Explained {
  u64 replaced = 0;  // occurrences of formerly unknown words that have the piece
  std::vector<const Entry*> words;  // the most informative examples
};

// For each piece of ``fresh`` (ids of ``now``): formerly unknown words first, then frequent ones.
inline std::vector<Explained> explain(const Table& words, const WordPiece& old,
                                      const WordPiece& now, const std::vector<int>& fresh,
                                      std::size_t examples, unsigned threads) {
  struct Told {
    const Entry* entry;
    bool unknown;
    bool operator<(const Told& o) const {
      if (unknown != o.unknown) return unknown;
      if (entry->count() != o.entry->count()) return entry->count() > o.entry->count();
      return entry->first() < o.entry->first();
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
  require_ids(fresh, now.pieces().size());
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
      now.segment(e.view(), ids);
      for (int id : ids)
        if (rank[id] >= 0) held.push_back(rank[id]);
      if (held.empty()) return;
      old.segment(e.view(), ids);
      const bool unknown = ids.back() == old.unk();
      std::sort(held.begin(), held.end());
      held.erase(std::unique(held.begin(), held.end()), held.end());
      for (int i : held) {
        part.replaced[i] += unknown ? e.count() : 0;
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

struct Covered {
  std::int64_t pieces = 0, unknown = 0;
};

// Pieces and unknown pieces of all words with only the first points[i] of ``fresh``, for each i;
// ``points`` increase from 0.
inline std::vector<Covered> coverage(const Table& words, const WordPiece& now,
                                     const std::vector<int>& fresh,
                                     const std::vector<std::size_t>& points, unsigned threads) {
  require_ids(fresh, now.pieces().size());
  require(!points.empty() && points[0] == 0 && points.back() >= fresh.size() &&
              std::is_sorted(points.begin(), points.end()),
          "points increase from 0 to the number of fresh pieces");
  std::vector<std::size_t> arrival(now.pieces().size(), 0);  // the first point that has the piece
  for (std::size_t i = 0, point = 0; i < fresh.size(); ++i) {
    while (point < points.size() && points[point] <= i) ++point;
    arrival[fresh[i]] = point;
  }
  const auto covered = [&](std::string_view word, std::size_t point) {
    Covered sum;
    const char *p = word.data(), *const begin = p, *const end = p + word.size();
    while (p < end) {
      const char* longest = p;
      now.known().each(p > begin, p, end, [&](int id, const char* to) {
        if (arrival[id] <= point) longest = to;
      });
      if (longest == p) return Covered{1, 1};
      p = longest;
      ++sum.pieces;
    }
    return sum;
  };
  std::vector<std::vector<Covered>> parts(std::max(1u, threads),
                                          std::vector<Covered>(points.size()));
  each_partition(threads, [&](std::size_t p, unsigned t) {
    std::vector<std::size_t> turns;  // points at which the segmentation may change
    words.parts[p].each([&](const Entry& e) {
      const std::string_view word = e.view();
      const auto n = static_cast<std::int64_t>(e.count());
      if (const auto* special = now.specials().exactly(word)) {
        parts[t][0].pieces += n;
        parts[t][0].unknown += special->second == now.unk() ? n : 0;
        return;
      }
      turns.assign(1, 0);
      if (!now.too_long(word)) {
        const char *at = word.data(), *const end = at + word.size();
        for (u32 width; at < end; at += width) {
          character(at, width);
          now.known().each(at > word.data(), at, end, [&](int id, const char*) {
            if (arrival[id]) turns.push_back(arrival[id]);
          });
        }
      }
      std::sort(turns.begin(), turns.end());
      turns.erase(std::unique(turns.begin(), turns.end()), turns.end());
      Covered before;
      for (std::size_t point : turns) {
        const Covered after = now.too_long(word) ? Covered{1, 1} : covered(word, point);
        parts[t][point].pieces += n * (after.pieces - before.pieces);
        parts[t][point].unknown += n * (after.unknown - before.unknown);
        before = after;
      }
    });
  });
  std::vector<Covered> all(points.size());
  Covered sum;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const auto& part : parts) {
      sum.pieces += part[i].pieces;
      sum.unknown += part[i].unknown;
    }
    all[i] = sum;
  }
  return all;
}

}  // namespace specialize
