// Bounds a table: drops its rarest entries and frees their memory.
#pragma once

#include <functional>

#include "threads.hpp"

namespace specialize {

struct Dropped {
  u64 entries = 0, occurrences = 0;
};

// The smallest count reached by at most ``most`` entries.
inline u64 least_count(const Table& table, std::size_t most) {
  std::vector<u64> counts;
  counts.reserve(table.size());
  for (const Partition& part : table.parts)
    part.each([&](const Entry& e) { counts.push_back(e.count()); });
  const auto rarest = counts.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(counts.begin(), rarest, counts.end(), std::greater<>());
  return *rarest + 1;
}

// Drops entries with counts below ``least``. The rest is copied, so no old block is kept alive.
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

// If a table has more than ``most`` entries, drops all with the lowest count, then the next lowest,
// and so on, until at most half of ``most`` remain. Independent of insertion order.
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
