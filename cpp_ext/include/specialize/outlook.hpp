// How many entries a table will hold at the end of a text, told from the text's beginning: a table
// with room from there on is neither enlarged step by step nor crowded all the way.
#pragma once

#include <cmath>

#include "table.hpp"

namespace specialize {

class Outlook {
 public:
  // For ``n`` bytes of a text of ``whole``, all of whose tokens ``table`` is to hold in the end.
  Outlook(Table& table, u64 n, u64 whole)
      : table_(table), n_(n), whole_(whole), next_(n < kWorthIt ? kNever : n / 16) {}

  // To be called on the way, of so many more bytes.
  void read(u64 bytes) {
    read_ += bytes;
    if (read_ < next_) return;
    const double types = static_cast<double>(table_.size());
    if (before_ > 0) {  // new types come as a power of the bytes (Heaps' law), and so by doublings
      const double most = kMost * static_cast<double>(whole_) / static_cast<double>(n_);
      const double doublings = std::log2(static_cast<double>(whole_) / static_cast<double>(next_));
      const double growth = std::min(most, std::pow(types / before_, doublings));
      table_.reserve(static_cast<u64>(kShare * types * growth));
      next_ = kNever;
    } else {
      before_ = types;
      next_ *= 2;
    }
  }

 private:
  static constexpr u64 kWorthIt = u64{1} << 24, kNever = ~u64{0};
  static constexpr double kMost = 8;     // a beginning unlike the rest shall not take all memory
  static constexpr double kShare = 0.95;  // the room that is taken has some to spare

  Table& table_;
  u64 n_, whole_, next_, read_ = 0;
  double before_ = 0;  // entries half as far into the text
};

}  // namespace specialize
