// Work shared by threads; results do not depend on their number.
#pragma once

#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "table.hpp"

namespace specialize {

// Calls work(t) for t below ``threads``, each in its own thread; rethrows the first exception.
// Where the system gives no more threads, this one does the rest.
template <class F>
void run(unsigned threads, F work) {
  std::vector<std::exception_ptr> faults(threads);
  const auto guarded = [&](unsigned t) {
    try {
      work(t);
    } catch (...) {
      faults[t] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  others.reserve(threads);
  try {
    for (unsigned t = 1; t < threads; ++t) others.emplace_back(guarded, t);
  } catch (const std::system_error&) {
  }
  if (threads) guarded(0);
  for (unsigned t = 1 + others.size(); t < threads; ++t) guarded(t);
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& fault : faults)
    if (fault) std::rethrow_exception(fault);
}

// Calls work(p, t) for every partition p in one of the threads t.
template <class F>
void each_partition(unsigned threads, F work) {
  std::atomic<std::size_t> next{0};
  run(std::max(1u, threads), [&](unsigned t) {
    for (std::size_t p; (p = next++) < Table::kPartitions;) work(p, t);
  });
}

// Adds the entries of ``from``, whose positions are ``behind`` bytes later.
inline void add_all(Partition& to, const Partition& from, u64 behind = 0) {
  to.reserve(to.size() + from.size());
  Queue queue(to);
  from.each([&](const Entry& e) { queue.push(e.key(), e.count(), e.first() + behind); });
  queue.finish();
}

inline void merge(Table& into, std::vector<Table>& tables, unsigned threads) {
  each_partition(threads, [&](std::size_t p, unsigned) {
    for (Table& table : tables) {
      Partition& part = table.parts[p];
      if (into.parts[p].size()) add_all(into.parts[p], part);
      else into.parts[p] = std::move(part);
      part = Partition();
    }
  });
}

}  // namespace specialize
