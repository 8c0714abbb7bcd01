// A table of counted strings: what occurs, how often, and where first.
//
// Open addressing over 32-byte entries, in partitions by bits of the hash: tables of several threads
// are merged partition by partition, with no second pass, and a partition that grows moves only
// itself. Strings live in blocks that never move. Results do not depend on the order of insertion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <string_view>
#include <vector>

namespace specialize {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

inline u64 load64(const char* p) {
  u64 v;
  std::memcpy(&v, p, 8);
  return v;
}

inline u64 load32(const char* p) {
  u32 v;
  std::memcpy(&v, p, 4);
  return v;
}

inline u64 fold(u64 a, u64 b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
}

// A hash in the manner of wyhash: no byte outside [p, p + n) is read.
inline u64 hash_of(const char* p, std::size_t n) {
  constexpr u64 k0 = 0xa0761d6478bd642full, k1 = 0xe7037ed1a0b428dbull, k2 = 0x8ebc6af09c88c6e3ull;
  u64 a, b, seed = k2 ^ n;
  if (n >= 8) {
    for (; n > 16; p += 16, n -= 16) seed = fold(load64(p) ^ k1, load64(p + 8) ^ seed);
    if (n >= 8) {
      a = load64(p);
      b = load64(p + n - 8);
    } else {  // the tail of a long string, read together with bytes before it
      a = load64(p + n - 16);
      b = load64(p + n - 8);
    }
  } else if (n >= 4) {
    a = load32(p);
    b = load32(p + n - 4);
  } else {
    a = n ? (u64(u8(p[0])) << 16) | (u64(u8(p[n >> 1])) << 8) | u8(p[n - 1]) : 0;
    b = 0;
  }
  return fold(fold(a ^ k0, b ^ seed), k1 ^ seed);
}

struct Entry {
  u64 hash = 0;
  u64 first = 0;              // place of the first occurrence
  u64 count = 0;              // 0: the entry is free
  const char* text = nullptr; // its length, 4 bytes, stands before it

  u32 length() const { return static_cast<u32>(load32(text - 4)); }
  std::string_view view() const { return {text, length()}; }
};

class Partition {
 public:
  void add(u64 hash, const char* p, u32 n, u64 count, u64 first) {
    if (entries_.empty()) resize(kSmallest);
    std::size_t i = start(hash);
    for (;; i = i + 1 == entries_.size() ? 0 : i + 1) {
      Entry& e = entries_[i];
      if (e.count == 0) {
        e = {hash, first, count, keep(p, n)};
        if (++used_ * 4 > entries_.size() * 3) resize(entries_.size() + entries_.size() / 2);
        return;
      }
      if (e.hash == hash && e.length() == n && std::memcmp(e.text, p, n) == 0) {
        e.count += count;
        if (first < e.first) e.first = first;
        return;
      }
    }
  }

  void prefetch(u64 hash) const {
    if (!entries_.empty()) __builtin_prefetch(&entries_[start(hash)]);
  }

  void merge(const Partition& other) {
    reserve(used_ + other.used_);
    for (const Entry& e : other.entries_)
      if (e.count) add(e.hash, e.text, e.length(), e.count, e.first);
  }

  // Strings lie in the order they came in, entries in that of their hashes: fetched ahead.
  template <class F>
  void each(F f) const {
    constexpr std::size_t kAhead = 16;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (i + kAhead < entries_.size() && entries_[i + kAhead].count)
        __builtin_prefetch(entries_[i + kAhead].text - 4);
      if (entries_[i].count) f(entries_[i]);
    }
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

  // The upper half of the hash spreads over the partition; the lowest bits chose it.
  std::size_t start(u64 hash) const { return ((hash >> 32) * entries_.size()) >> 32; }

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
    const std::size_t need = std::size_t{n} + 4;
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
    std::memcpy(to, &n, 4);
    std::memcpy(to + 4, p, n);
    return to + 4;
  }

  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // the last is being filled
  std::size_t used_ = 0, left_ = 0, kept_ = 0;
};

class Table {
 public:
  static constexpr std::size_t kPartitions = 64;

  void add(u64 hash, const char* p, u32 n, u64 count, u64 first) {
    parts[hash % kPartitions].add(hash, p, n, count, first);
  }
  void add(std::string_view s, u64 count, u64 first) {
    add(hash_of(s.data(), s.size()), s.data(), static_cast<u32>(s.size()), count, first);
  }
  void prefetch(u64 hash) const { parts[hash % kPartitions].prefetch(hash); }

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

}  // namespace specialize
