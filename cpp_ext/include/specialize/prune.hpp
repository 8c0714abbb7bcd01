// A table held to a bound: its rarest entries dropped, their memory given back.
#pragma once

#include <functional>

#include "threads.hpp"

namespace specialize {

struct Dropped {
  u64 entries = 0, occurrences = 0;
};

// The least count that no more than ``most`` of the entries reach.
inline u64 least_count(const Table& table, std::size_t most) {
  std::vector<u64> counts;
  counts.reserve(table.size());
  for (const Partition& part : table.parts)
    part.each([&](const Entry& e) { counts.push_back(e.count()); });
  const auto rarest = counts.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(counts.begin(), rarest, counts.end(), std::greater<>());
  return *rarest + 1;
}

// Drops the entries that count less than ``least``. What stays is copied: no block is held for it.
inline Dropped keep_from(Partition& part, u64 least) {
  Dropped dropped;
  part.each([&](const Entry& e) {
    if (e.count() >= least) return;
    ++dropped.entries;
    dropped.occurrences += e.count();
  });
  if (!dropped.entries) return dropped;
  Partition kept;
  kept.reserve(part.size() - dropped.entries);
  part.each([&](const Entry& e) {
    if (e.count() >= least) kept.add(e.key(), e.count(), e.first());
  });
  part = std::move(kept);
  return dropped;
}

// Where a table has more than ``most`` entries, drops all that occur least, then all that occur
// next least, and so on, until no more than half of ``most`` are left, whatever order they came in.
inline Dropped prune(Table& table, std::size_t most, unsigned threads) {
  if (table.size() <= most) return {};
  const u64 least = least_count(table, most / 2);
  std::vector<Dropped> of(Table::kPartitions);
  each_partition(threads,
                 [&](std::size_t p, unsigned) { of[p] = keep_from(table.parts[p], least); });
  Dropped all;
  for (const Dropped& one : of) {
    all.entries += one.entries;
    all.occurrences += one.occurrences;
  }
  return all;
}

}  // namespace specialize
