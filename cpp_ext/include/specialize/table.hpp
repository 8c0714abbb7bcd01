// A table of counted strings: what occurs, how often, and where first.
//
// Open addressing in partitions by bits of the hash: tables of several threads are merged partition
// by partition, with no second pass, and a partition that grows moves only itself. Strings live in
// blocks that never move. Results do not depend on the order of insertion.
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
  u64 hash;
  u64 first;         // place of the first occurrence
  u64 count;
  const char* text;  // its length, 4 bytes, stands before it

  u32 length() const { return static_cast<u32>(load32(text - 4)); }
  std::string_view view() const { return {text, length()}; }
};

// Entries in groups of eight, with a byte of the hash of each in one word: as a rule a look at that
// word tells where a string is, or that it is new (after the SwissTable of Abseil).
class Partition {
 public:
  void add(u64 hash, const char* p, u32 n, u64 count, u64 first) {
    if (used_ * 8 >= tags_.size() * 8 * 7) resize(tags_.size() + tags_.size() / 2 + 1);
    for (std::size_t group = start(hash);; group = after(group)) {
      const u64 tags = tags_[group];
      for (u64 same = matches(tags, hash); same; same &= same - 1) {
        Entry& e = entries_[slot(group, same)];
        if (e.hash == hash && e.length() == n && std::memcmp(e.text, p, n) == 0) {
          e.count += count;
          if (first < e.first) e.first = first;
          return;
        }
      }
      if (const u64 free = ~tags & kHighest) {
        put(group, free, {hash, first, count, keep(p, n)});
        return;
      }
    }
  }

  // Memory is fetched in three steps, each needing what the one before has brought.
  void fetch_tags(u64 hash) const {
    if (!tags_.empty()) __builtin_prefetch(&tags_[start(hash)]);
  }
  void fetch_entry(u64 hash) const {
    if (const Entry* e = likely(hash)) __builtin_prefetch(e);
  }
  void fetch_text(u64 hash) const {
    const Entry* e = likely(hash);
    if (e && e->hash == hash) __builtin_prefetch(e->text - 4);
  }

  void merge(const Partition& other) {
    reserve(used_ + other.used_);
    other.each([&](const Entry& e) { add(e.hash, e.text, e.length(), e.count, e.first); });
  }

  // Makes room for ``n`` entries. subtle: entries of one table put into a smaller one come in the
  // order of their places there too, and without room for all would pile up at its front.
  void reserve(std::size_t n) {
    if (tags_.size() * 7 < n) resize(n / 6 + 1);
  }

  // Strings lie in the order they came in, entries in that of their hashes: fetched ahead.
  template <class F>
  void each(F f) const {
    for (std::size_t group = 0; group < tags_.size(); ++group) {
      if (group + 1 < tags_.size())
        for (u64 some = tags_[group + 1] & kHighest; some; some &= some - 1)
          __builtin_prefetch(entries_[slot(group + 1, some)].text - 4);
      for (u64 some = tags_[group] & kHighest; some; some &= some - 1)
        f(static_cast<const Entry&>(entries_[slot(group, some)]));
    }
  }

  std::size_t size() const { return used_; }
  std::size_t bytes() const { return tags_.size() * 8 * (sizeof(Entry) + 1) + kept_; }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 16;
  static constexpr u64 kHighest = 0x8080808080808080ull, kEach = 0x0101010101010101ull;

  // The upper half of the hash spreads over the groups; the lowest bits chose the partition.
  std::size_t start(u64 hash) const { return ((hash >> 32) * tags_.size()) >> 32; }
  std::size_t after(std::size_t group) const { return group + 1 == tags_.size() ? 0 : group + 1; }
  static u64 tag(u64 hash) { return 0x80 | (hash >> 8 & 0x7f); }  // never 0: that is a free place
  static std::size_t slot(std::size_t group, u64 bits) {
    return group * 8 + static_cast<std::size_t>(__builtin_ctzll(bits)) / 8;
  }
  // The highest bit of each byte that equals the tag; now and then of one more above it.
  static u64 matches(u64 tags, u64 hash) {
    const u64 differing = tags ^ kEach * tag(hash);
    return (differing - kEach) & ~differing & kHighest;
  }
  const Entry* likely(u64 hash) const {
    if (tags_.empty()) return nullptr;
    const std::size_t group = start(hash);
    const u64 same = matches(tags_[group], hash);
    return same ? &entries_[slot(group, same)] : nullptr;
  }

  void put(std::size_t group, u64 free, const Entry& e) {
    const std::size_t i = slot(group, free);
    entries_[i] = e;
    tags_[group] |= tag(e.hash) << (i % 8 * 8);
    ++used_;
  }

  void resize(std::size_t groups) {
    const std::vector<u64> tags = std::exchange(tags_, std::vector<u64>(groups));
    const auto entries =
        std::exchange(entries_, std::make_unique_for_overwrite<Entry[]>(groups * 8));
    used_ = 0;
    for (std::size_t old = 0; old < tags.size(); ++old) {
      for (u64 some = tags[old] & kHighest; some; some &= some - 1) {
        const Entry& e = entries[slot(old, some)];
        std::size_t group = start(e.hash);
        while (!(~tags_[group] & kHighest)) group = after(group);
        put(group, ~tags_[group] & kHighest, e);
      }
    }
  }

  const char* keep(const char* p, u32 n) {
    const std::size_t need = std::size_t{n} + 4;
    char* to;
    if (need > kBlock / 4) {  // long strings have blocks of their own, behind the one being filled
      blocks_.insert(blocks_.empty() ? blocks_.end() : blocks_.end() - 1,
                     std::make_unique_for_overwrite<char[]>(need));
      to = blocks_[blocks_.size() - (blocks_.size() > 1 ? 2 : 1)].get();
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

  std::vector<u64> tags_;                        // a group each
  std::unique_ptr<Entry[]> entries_;             // eight a group
  std::vector<std::unique_ptr<char[]>> blocks_;  // of text; the last is being filled
  std::size_t used_ = 0, left_ = 0, kept_ = 0;
};

class Table {
 public:
  static constexpr std::size_t kPartitions = 64;

  void add(u64 hash, const char* p, u32 n, u64 count, u64 first) {
    part(hash).add(hash, p, n, count, first);
  }
  void add(std::string_view s, u64 count, u64 first) {
    add(hash_of(s.data(), s.size()), s.data(), static_cast<u32>(s.size()), count, first);
  }
  const Partition& part(u64 hash) const { return parts[hash % kPartitions]; }
  Partition& part(u64 hash) { return parts[hash % kPartitions]; }

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
