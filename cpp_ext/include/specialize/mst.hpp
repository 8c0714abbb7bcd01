// The best dependency tree with exactly one child of the root, in O(n^2) for n words.
//
// The reference is specialize/tasks/_mst.py: the same steps in the same order, so that trees are
// equal where several are best, too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "require.hpp"

namespace specialize {

// Scores of edges: row d, column h is word d with head h; 0 is the root. ``stride`` doubles per row.
struct Edges {
  const double* scores;
  std::size_t stride;
  std::size_t size;  // words + 1

  double at(std::size_t dependent, std::size_t head) const {
    return dependent == head ? kNone : scores[dependent * stride + head];
  }
  static constexpr double kNone = -std::numeric_limits<double>::infinity();
};

// Decodes one sentence after another in the same memory.
class TreeDecoder {
 public:
  // Returns the heads of words 1 to n; valid until the next call. Throws if a score is
  // nan or +inf.
  const std::vector<std::size_t>& heads(const Edges& of) {
    size_ = of.size;
    greedy(of);
    if (heads_.empty() || (std::count(heads_.begin(), heads_.end(), 0u) == 1 && lead_to_root()))
      return heads_;
    prepare(of);
    for (std::size_t start = 1; start < size_; ++start)
      if (!reached_[start]) walk(start);
    expand();
    return heads_;
  }

 private:
  struct Pair {  // compared by tier first
    double tier, score;
    bool operator<(const Pair& o) const {
      return tier < o.tier || (tier == o.tier && score < o.score);
    }
    Pair operator-(const Pair& o) const { return {tier - o.tier, score - o.score}; }
  };

  void greedy(const Edges& of) {
    heads_.clear();
    for (std::size_t word = 1; word < size_; ++word) {
      std::size_t best = 0;
      for (std::size_t head = 0; head < size_; ++head) {
        const double score = of.at(word, head);
        require(score < -Edges::kNone,  // false for nan
                "the scores of a tree are not numbers (nan); has the training diverged?");
        if (of.at(word, best) < score) best = head;
      }
      heads_.push_back(best);
    }
  }

  bool lead_to_root() {
    walks_.assign(size_, 0);
    for (std::size_t start = 1; start < size_; ++start) {
      std::size_t node = start;
      for (; node && !walks_[node]; node = heads_[node - 1]) walks_[node] = start;
      if (node && walks_[node] == start) return false;
    }
    return true;
  }

  // Ranks edges: first no loop, then few children of the root, then few edges of score -inf.
  void prepare(const Edges& of) {
    edges_.resize(size_ * size_);
    ends_.resize(size_ * size_);
    for (std::size_t i = 0; i < ends_.size(); ++i) ends_[i] = i;
    for (std::size_t row = 1; row < size_; ++row)
      for (std::size_t head = 0; head < size_; ++head) {
        const double score = of.at(row, head);
        const bool none = score == Edges::kNone;
        const double tier = (none ? -1.0 : 0.0) - (head ? 0.0 : static_cast<double>(size_));
        edges_[row * size_ + head] = row == head ? kLoop : Pair{tier, none ? 0.0 : score};
      }
    reached_.assign(size_, false);
    reached_[0] = true;
    place_.assign(size_, 0);
    best_.resize(size_);
    nodes_.resize(size_);
    for (std::size_t row = 0; row < size_; ++row) nodes_[row] = row;
    chosen_.assign(size_, 0);
    parents_.assign(size_, 0);
  }

  // Follows the best heads from ``row`` to a component that is done, and contracts cycles.
  void walk(std::size_t row) {
    path_.clear();
    while (!reached_[row]) {
      reached_[row] = true;
      path_.push_back(row);
      place_[row] = path_.size();
      row = choose(row);
      while (const std::size_t at = place_[row]) {
        contract(at - 1);
        for (std::size_t i = at; i < path_.size(); ++i) place_[path_[i]] = 0;
        path_.resize(at);
        row = choose(row);
      }
    }
    for (std::size_t on : path_) place_[on] = 0;
  }

  // Chooses the best edge into a row's component; returns the row it comes from.
  std::size_t choose(std::size_t row) {
    const Pair* edges = &edges_[row * size_];
    const std::size_t head =
        static_cast<std::size_t>(std::max_element(edges, edges + size_) - edges);
    best_[row] = edges[head];
    chosen_[nodes_[row]] = ends_[row * size_ + head];
    return head;
  }

  // Contracts the cycle at the end of the path into the row of its first member.
  void contract(std::size_t begin) {
    const std::size_t row = path_[begin];
    for (std::size_t head = 0; head < size_; ++head) {
      edges_[row * size_ + head] = edges_[row * size_ + head] - best_[row];
      for (std::size_t i = begin + 1; i < path_.size(); ++i)
        improve(row * size_ + head, path_[i] * size_ + head, best_[path_[i]]);
    }
    for (std::size_t other = 1; other < size_; ++other)
      for (std::size_t i = begin + 1; i < path_.size(); ++i) {
        improve(other * size_ + row, other * size_ + path_[i], {0.0, 0.0});
        edges_[other * size_ + path_[i]] = kLoop;
      }
    edges_[row * size_ + row] = kLoop;
    for (std::size_t i = begin; i < path_.size(); ++i)
      parents_[nodes_[path_[i]]] = parents_.size();
    nodes_[row] = parents_.size();
    parents_.push_back(0);
    chosen_.push_back(0);
  }

  // Replaces an edge by another that is better after ``cost``.
  void improve(std::size_t edge, std::size_t other, Pair cost) {
    const Pair found = edges_[other] - cost;
    if (!(edges_[edge] < found)) return;
    edges_[edge] = found;
    ends_[edge] = ends_[other];
  }

  // Finds the words' heads: the edge into a cycle replaces that of the member it enters.
  void expand() {
    for (std::size_t cycle = parents_.size(); cycle-- > size_;) {
      std::size_t member = chosen_[cycle] / size_;
      while (parents_[member] != cycle) member = parents_[member];
      chosen_[member] = chosen_[cycle];
    }
    for (std::size_t word = 1; word < size_; ++word) heads_[word - 1] = chosen_[word] % size_;
  }

  static constexpr Pair kLoop{Edges::kNone, 0.0};

  std::size_t size_ = 0;
  std::vector<std::size_t> heads_, walks_;
  std::vector<Pair> edges_;            // [row, row]: into the first one's component
  std::vector<std::size_t> ends_;      // dependent * size + head of these in the sentence
  std::vector<bool> reached_;          // rows
  std::vector<std::size_t> path_;      // rows, each the dependent of the next
  std::vector<std::size_t> place_;     // of rows in the path, from 1; 0 if not in it
  std::vector<Pair> best_;             // the edges chosen for rows
  std::vector<std::size_t> nodes_;     // the components of rows
  std::vector<std::size_t> chosen_;    // the edges chosen for components
  std::vector<std::size_t> parents_;   // the components that components became part of
};

}  // namespace specialize
