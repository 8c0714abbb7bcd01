// A part of a table of counted strings, with its index. Entries are stored in insertion order and
// never move, so frequent ones, which come early, are close together.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "bucket.hpp"
#include "entry.hpp"

namespace specialize {

class Partition {
 public:
  void add(const Key& key, u64 count, u64 first) {
    const u32 tag = tag_of(key.hash);
    Bucket* const to = find(tag, [&](u32 place) { return entry(place)->add(key, count, first); });
    if (!to) return;
    to->put(tag, append(key, count, first));
    if (++used_ > most_) resize(2 * buckets_.size());
  }

  // Call well before adding a string: prefetches the index slot, then the entry, which is returned;
  // nullptr if no entry has the hash.
  void prefetch(u64 hash) const { __builtin_prefetch(&buckets_[start(tag_of(hash))]); }
  Entry* seek(u64 hash) const {
    const u32 tag = tag_of(hash);
    for (u64 b = start(tag);; b = after(b)) {
      const Bucket& bucket = buckets_[b];
      if (const u32 lanes = bucket.like(tag))
        return fetched(bucket.places[std::countr_zero(lanes)]);
      if (!bucket.full()) return nullptr;
    }
  }

  // In insertion order.
  template <class F>
  void each(F f) const {
    for (const Block& block : blocks_) {
      for (u64 at = 0; at < block.used;) {
        const Entry& e = *std::launder(reinterpret_cast<Entry*>(&block.bytes[at]));
        at += Entry::size(e.length());
        f(e);
      }
    }
  }

  // Reserves room for ``n`` entries.
  void reserve(u64 n) {
    if (n > most_) resize(buckets_for(n));
  }

  std::size_t size() const { return used_; }

 private:
  static constexpr u64 kBlock = u64{1} << 16;
  static constexpr const char* kTooMany = "more than 256 GB of types";

  struct Block {
    explicit Block(u64 size)
        : bytes(std::make_unique_for_overwrite<char[]>(size + Key::kNear)), room(size) {}

    std::unique_ptr<char[]> bytes;
    u64 used = 0, room;
  };

  // The upper half of the hash; its lowest bits select the partition.
  static u32 tag_of(u64 hash) { return static_cast<u32>(hash >> 32) | 1; }
  u64 start(u32 tag) const { return tag * buckets_.size() >> 32; }  // ordered by tag
  u64 after(u64 b) const { return b + 1 < buckets_.size() ? b + 1 : 0; }

  Entry* entry(u32 place) const {
    const u32 at = place - 1;
    return std::launder(reinterpret_cast<Entry*>(&blocks_[at / kBlock].bytes[at % kBlock]));
  }
  Entry* fetched(u32 place) const {
    Entry* const e = entry(place);
    __builtin_prefetch(e);
    __builtin_prefetch(reinterpret_cast<char*>(e + 1) + Key::kNear - 1);  // maybe the next line
    return e;
  }

  // Calls is_it(place) for entries with the tag until it returns true (returns nullptr); otherwise
  // returns the bucket for a new entry.
  template <class F>
  Bucket* find(u32 tag, F is_it) {
    for (u64 b = start(tag);; b = after(b)) {
      Bucket& bucket = buckets_[b];
      for (u32 lanes = bucket.like(tag); lanes; lanes &= lanes - 1)
        if (is_it(bucket.places[std::countr_zero(lanes)])) return nullptr;
      if (!bucket.full()) return &bucket;
    }
  }

  // Returns its place, from 1; an entry begins in the first kBlock bytes of its block.
  u32 append(const Key& key, u64 count, u64 first) {
    const u64 need = Entry::size(key.length);
    if (blocks_.empty() || blocks_.back().used + need > blocks_.back().room)
      blocks_.emplace_back(std::max(need, kBlock));
    Block& block = blocks_.back();
    const u64 place = (blocks_.size() - 1) * kBlock + block.used + 1;
    if (place >> 32) throw std::length_error(kTooMany);
    Entry::make(&block.bytes[block.used], key, count, first);
    block.used += need;
    return static_cast<u32>(place);
  }

  static constexpr u64 kSmallest = 2;
  static u64 entries_for(u64 buckets) { return buckets * Bucket::kLanes * 3 / 4; }
  static u64 buckets_for(u64 entries) { return entries / 3 * 4 / Bucket::kLanes + 1; }

  // subtle: old and new buckets are both visited in the order of their tags.
  void resize(u64 n) {
    const std::vector<Bucket> old = std::exchange(buckets_, std::vector<Bucket>(n));
    most_ = entries_for(n);
    const auto other = [](u32) { return false; };
    for (const Bucket& bucket : old)
      bucket.each([&](u32 tag, u32 place) { find(tag, other)->put(tag, place); });
  }

  std::vector<Bucket> buckets_ = std::vector<Bucket>(kSmallest);
  u64 most_ = entries_for(kSmallest);  // capacity without more buckets
  std::vector<Block> blocks_;
  std::size_t used_ = 0;
};

}  // namespace specialize
