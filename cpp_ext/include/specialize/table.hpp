// A table of counted strings.
//
// Entries stand one behind the other as they come, so that the frequent ones, which come early, are
// close together, and never move; an index of eight bytes each leads to them. In partitions by bits
// of the hash: tables of several threads are merged partition by partition, with no second pass.
// Results do not depend on the order of insertion.
#pragma once

#include <bit>
#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "entry.hpp"

namespace specialize {

class Partition {
 public:
  void add(const Key& key, u64 count, u64 first) {
    std::size_t i = start(key.hash);
    for (; slots_[i]; i = after(i))
      if (like(slots_[i], key.hash) && entry(slots_[i])->add(key, count, first)) return;
    slots_[i] = (key.hash & kUpper) | append(key, count, first);
    if (++used_ * 2 > slots_.size()) resize(slots_.size() * 2);
  }

  // To be called well before a string is added: memory is fetched, first where the index leads to
  // its entry, then the entry, which is returned; none if there is none with the hash.
  void prefetch(u64 hash) const { __builtin_prefetch(&slots_[start(hash)]); }
  Entry* seek(u64 hash) const {
    for (std::size_t i = start(hash); slots_[i]; i = after(i)) {
      if (!like(slots_[i], hash)) continue;
      Entry* const e = entry(slots_[i]);
      __builtin_prefetch(e);
      __builtin_prefetch(reinterpret_cast<char*>(e + 1) + Key::kNear - 1);  // another line, perhaps
      return e;
    }
    return nullptr;
  }

  // Takes over the entries of ``other``, where they are. subtle: both indices are passed in the
  // order of hashes, and an entry is looked at only if there is one like it.
  void adopt(Partition&& other) {
    if (!used_) return void(*this = std::move(other));
    reserve(used_ + other.used_);
    const u64 base = blocks_.size() * kBlock;
    if ((base + other.blocks_.size() * kBlock) & kUpper) throw std::length_error(kTooMany);
    for (Block& block : other.blocks_) blocks_.push_back(std::move(block));
    for (u64 slot : other.slots_)
      if (slot) adopt(slot + base);
    other = Partition();
  }

  // In the order they came in.
  template <class F>
  void each(F f) const {
    for (const Block& block : blocks_) {
      for (u64 at = 0; at < block.used;) {
        const Entry& e = *std::launder(reinterpret_cast<Entry*>(&block.units[at]));
        at += Entry::units(e.length());
        if (e.count) f(e);
      }
    }
  }

  // Makes room for ``n`` entries.
  void reserve(std::size_t n) {
    if (slots_.size() < 2 * n) resize(std::bit_ceil(2 * n));
  }

  std::size_t size() const { return used_; }
  std::size_t bytes() const {
    std::size_t units = slots_.size();
    for (const Block& block : blocks_) units += block.room;
    return 8 * units;
  }

 private:
  static constexpr std::size_t kSmallest = 16;
  static constexpr u64 kBlock = 8192;  // units of eight bytes
  static constexpr u64 kUpper = ~u64{0} << 32;
  static constexpr const char* kTooMany = "more than two terabytes of types";

  struct Block {
    std::unique_ptr<u64[]> units;
    u64 used, room;
  };

  std::size_t start(u64 hash) const { return hash >> shift_; }
  std::size_t after(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
  static bool like(u64 slot, u64 hash) { return !((slot ^ hash) & kUpper); }

  Entry* entry(u64 slot) const {
    const u64 at = static_cast<u32>(slot) - 1;
    return std::launder(reinterpret_cast<Entry*>(&blocks_[at / kBlock].units[at % kBlock]));
  }

  void adopt(u64 slot) {
    std::size_t i = start(slot);
    for (; slots_[i]; i = after(i))
      if (like(slots_[i], slot) && entry(slots_[i])->absorb(*entry(slot))) return;
    slots_[i] = slot;
    ++used_;
  }

  // Returns its place from 1 on: an entry begins in the first kBlock units of its block.
  u64 append(const Key& key, u64 count, u64 first) {
    const u64 need = Entry::units(key.length);
    if (blocks_.empty() || blocks_.back().used + need > blocks_.back().room) {
      const u64 room = std::max(need, kBlock);
      blocks_.push_back({std::make_unique_for_overwrite<u64[]>(room), 0, room});
    }
    Block& block = blocks_.back();
    const u64 place = (blocks_.size() - 1) * kBlock + block.used + 1;
    if (place & kUpper) throw std::length_error(kTooMany);
    Entry::make(&block.units[block.used], key, count, first);
    block.used += need;
    return place;
  }

  // subtle: slots are passed in the order of their hashes, and so are those that they go to.
  void resize(std::size_t n) {
    std::vector<u64> old(n);
    old.swap(slots_);
    shift_ = 64 - static_cast<u32>(std::countr_zero(n));
    for (u64 slot : old) {
      if (!slot) continue;
      std::size_t i = start(slot);
      while (slots_[i]) i = after(i);
      slots_[i] = slot;
    }
  }

  // The upper half of a hash, whose lowest bits chose the partition, and an entry's place; 0: free.
  std::vector<u64> slots_ = std::vector<u64>(kSmallest);
  u32 shift_ = 64 - std::countr_zero(kSmallest);
  std::vector<Block> blocks_;
  std::size_t used_ = 0;
};

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

 private:
  Partition& of(u64 hash) { return parts[hash % kPartitions]; }
  const Partition& of(u64 hash) const { return parts[hash % kPartitions]; }
};

// Strings on their way into a table, or a partition, wait here while its memory is fetched.
template <class To>
class Queue {
 public:
  explicit Queue(To& to) : to_(to) {}

  void push(const Key& key, u64 count, u64 first) {
    push([&] { return key; }, count, first);
  }

  // ``key`` returns it. subtle: it is made where it waits, since what was just written in parts
  // cannot be copied as a whole before it has reached the cache.
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
  static constexpr std::size_t kSize = 128;  // memory is slow: fewer are added before it is there
  struct alignas(64) Waiting {
    Key key;
    u64 count, first;
  };

  To& to_;
  std::size_t n_ = 0;
  Waiting waiting_[kSize];
};

}  // namespace specialize
