// A table of counted strings, partitioned by bits of the hash: tables of several threads are merged
// partition by partition, without a second pass. Results do not depend on insertion order.
#pragma once

#include <concepts>

#include "partition.hpp"

namespace specialize {

class Table {
 public:
  static constexpr std::size_t kPartitions = 64;

  void add(const Key& key, u64 count, u64 first) { of(key.hash).add(key, count, first); }
  void prefetch(u64 hash) const { of(hash).prefetch(hash); }
  Entry* seek(u64 hash) const { return of(hash).seek(hash); }
  void reserve(std::size_t n) {
    for (Partition& p : parts) p.reserve(n / kPartitions);
  }

  std::size_t size() const {
    std::size_t n = 0;
    for (const Partition& p : parts) n += p.size();
    return n;
  }

  // All entries by first occurrence.
  std::vector<const Entry*> ordered() const {
    std::vector<const Entry*> all;
    all.reserve(size());
    for (const Partition& p : parts) p.each([&](const Entry& e) { all.push_back(&e); });
    std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->first() < b->first(); });
    return all;
  }

  Partition parts[kPartitions];

 private:
  Partition& of(u64 hash) { return parts[hash % kPartitions]; }
  const Partition& of(u64 hash) const { return parts[hash % kPartitions]; }
};

// Strings to add to a table or partition wait here while its memory is prefetched.
template <class To>
class Queue {
 public:
  explicit Queue(To& to) : to_(to) {}

  void push(const Key& key, u64 count, u64 first) {
    push([&] { return key; }, count, first);
  }

  // ``key`` returns it. subtle: it is built in place, because copying bytes just written in parts
  // would stall until they reach the cache.
  template <std::invocable F>
  void push(F key, u64 count, u64 first) {
    new (&waiting_[n_]) Waiting{key(), count, first};
    if (++n_ == kSize) finish();
  }

  void finish() {
    Entry* found[kSize];
    for (std::size_t i = 0; i < n_; ++i) to_.prefetch(waiting_[i].key.hash);
    for (std::size_t i = 0; i < n_; ++i) found[i] = to_.seek(waiting_[i].key.hash);
    for (std::size_t i = 0; i < n_; ++i) {
      const Waiting& w = waiting_[i];
      if (!found[i] || !found[i]->add(w.key, w.count, w.first)) to_.add(w.key, w.count, w.first);
    }
    n_ = 0;
  }

 private:
  static constexpr std::size_t kSize = 128;  // with fewer, memory has not arrived yet
  struct alignas(64) Waiting {
    Key key;
    u64 count, first;
  };

  To& to_;
  std::size_t n_ = 0;
  Waiting waiting_[kSize];
};

}  // namespace specialize
