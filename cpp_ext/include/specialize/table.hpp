// A table of counted strings: what occurs, how often, and where first.
//
// Open addressing over 48-byte entries that hold short strings themselves: to find one is to look
// into memory once. In partitions by bits of the hash: tables of several threads are merged
// partition by partition, with no second pass, and a partition that grows moves only itself. Long
// strings live in blocks that never move. Results do not depend on the order of insertion.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "key.hpp"

namespace specialize {

struct Entry {
  u64 first = 0;  // place of the first occurrence
  u64 count = 0;  // 0: the entry is free
  u32 hash = 0;   // its upper half: its lowest bits chose the partition
  u32 length = 0;
  union {
    u64 near[3] = {0, 0, 0};  // the string, if it is no longer than Key::kNear
    const char* far;
  };

  const char* text() const {
    return length <= Key::kNear ? reinterpret_cast<const char*>(near) : far;
  }
  std::string_view view() const { return {text(), length}; }

  // Of its hash, only what a partition looks at.
  Key key() const {
    Key key;
    key.text = text();
    key.length = length;
    key.hash = u64{hash} << 32;
    if (length <= Key::kNear) std::memcpy(key.near, near, sizeof near);
    return key;
  }

  bool holds(const Key& key) const {
    if (hash != static_cast<u32>(key.hash >> 32) || length != key.length) return false;
    if (length <= Key::kNear)
      return !((near[0] ^ key.near[0]) | (near[1] ^ key.near[1]) | (near[2] ^ key.near[2]));
    return std::memcmp(far, key.text, length) == 0;
  }
};

class Partition {
 public:
  void add(const Key& key, u64 count, u64 first) {
    if (entries_.empty()) resize(kSmallest);
    std::size_t i = start(key.hash >> 32);
    for (;; i = i + 1 == entries_.size() ? 0 : i + 1) {
      Entry& e = entries_[i];
      if (e.count == 0) {
        fill(e, key, count, first);
        if (++used_ * 4 > entries_.size() * 3) resize(entries_.size() + entries_.size() / 2);
        return;
      }
      if (e.holds(key)) {
        e.count += count;
        if (first < e.first) e.first = first;
        return;
      }
    }
  }

  void prefetch(u64 hash) const {
    if (entries_.empty()) return;
    const char* const e = reinterpret_cast<const char*>(&entries_[start(hash >> 32)]);
    __builtin_prefetch(e);
    __builtin_prefetch(e + sizeof(Entry) - 1);  // it may lie in two lines of the cache
  }

  void merge(const Partition& other) {
    reserve(used_ + other.used_);
    for (const Entry& e : other.entries_)
      if (e.count) add(e.key(), e.count, e.first);
  }

  template <class F>
  void each(F f) const {
    for (const Entry& e : entries_)
      if (e.count) f(e);
  }

  // Makes room for ``n`` entries. subtle: entries of one table put into a smaller one come in the
  // order of their places there too, and without room for all would pile up at its front.
  void reserve(std::size_t n) {
    if (entries_.size() * 3 < n * 4) resize(std::max(kSmallest, n + n / 2));
  }

  std::size_t size() const { return used_; }
  std::size_t bytes() const { return entries_.size() * sizeof(Entry) + kept_; }

 private:
  static constexpr std::size_t kSmallest = 64, kBlock = std::size_t{1} << 16;

  std::size_t start(u64 upper) const { return (upper * entries_.size()) >> 32; }

  void fill(Entry& e, const Key& key, u64 count, u64 first) {
    e.first = first;
    e.count = count;
    e.hash = static_cast<u32>(key.hash >> 32);
    e.length = key.length;
    if (key.length > Key::kNear)
      e.far = keep(key.text, key.length);
    else
      std::memcpy(e.near, key.near, sizeof e.near);
  }

  void resize(std::size_t n) {
    std::vector<Entry> old(n);
    old.swap(entries_);
    for (const Entry& e : old) {
      if (!e.count) continue;
      std::size_t i = start(e.hash);
      while (entries_[i].count) i = i + 1 == entries_.size() ? 0 : i + 1;
      entries_[i] = e;
    }
  }

  const char* keep(const char* p, u32 n) {
    const std::size_t need = n;
    char* to;
    if (need > kBlock / 4) {  // long strings have blocks of their own, behind the one being filled
      const auto place = blocks_.empty() ? blocks_.end() : blocks_.end() - 1;
      to = blocks_.insert(place, std::make_unique_for_overwrite<char[]>(need))->get();
      kept_ += need;
    } else {
      if (need > left_) {
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlock));
        kept_ += kBlock;
        left_ = kBlock;
      }
      to = blocks_.back().get() + (kBlock - left_);
      left_ -= need;
    }
    std::memcpy(to, p, n);
    return to;
  }

  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // the last is being filled
  std::size_t used_ = 0, left_ = 0, kept_ = 0;
};

class Table {
 public:
  static constexpr std::size_t kPartitions = 64;

  void add(const Key& key, u64 count, u64 first) {
    parts[key.hash % kPartitions].add(key, count, first);
  }
  void prefetch(u64 hash) const { parts[hash % kPartitions].prefetch(hash); }
  void reserve(std::size_t n) {
    for (Partition& p : parts) p.reserve(n / kPartitions);
  }

  std::size_t size() const {
    std::size_t n = 0;
    for (const Partition& p : parts) n += p.size();
    return n;
  }
  std::size_t bytes() const {
    std::size_t n = 0;
    for (const Partition& p : parts) n += p.bytes();
    return n;
  }

  // All entries in the order of their first occurrence.
  std::vector<const Entry*> ordered() const {
    std::vector<const Entry*> all;
    all.reserve(size());
    for (const Partition& p : parts) p.each([&](const Entry& e) { all.push_back(&e); });
    std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->first < b->first; });
    return all;
  }

  Partition parts[kPartitions];
};

// Strings on their way into a table wait here while the memory their entries lie in is fetched.
class Queue {
 public:
  explicit Queue(Table& table) : table_(table) {}

  void push(const Key& key, u64 count, u64 first) {
    Waiting& oldest = waiting_[next_++ % kSize];
    add(oldest);
    oldest = {key, count, first};
    table_.prefetch(key.hash);
  }
  void finish() {
    for (Waiting& w : waiting_) {
      add(w);
      w.count = 0;
    }
  }

 private:
  static constexpr std::size_t kSize = 16;
  struct Waiting {
    Key key;
    u64 count = 0, first = 0;
  };

  void add(const Waiting& w) {
    if (w.count) table_.add(w.key, w.count, w.first);
  }

  Table& table_;
  Waiting waiting_[kSize];
  std::size_t next_ = 0;
};

}  // namespace specialize
