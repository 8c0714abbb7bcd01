// How many entries a table will hold at the end of a text, told from the text's beginning: a table
// with room from there on is neither enlarged step by step nor crowded all the way.
#pragma once

#include "table.hpp"

namespace specialize {

class Outlook {
 public:
  // For ``n`` bytes of text that are to be counted in ``table``.
  Outlook(Table& table, u64 n) : table_(table), next_(n < kWorthIt ? kNever : n / (2 * kPart)) {}

  // To be called on the way, ``at`` bytes into the text.
  void look(u64 at) {
    if (at < next_) return;
    const double types = static_cast<double>(table_.size());
    if (before_ > 0) {  // new types come as a power of the bytes (Heaps' law), and so by doublings
      double growth = 1;
      for (u64 part = kPart; part > 1; part /= 2) growth *= types / before_;
      table_.reserve(static_cast<std::size_t>(kShare * types * std::min(growth, kMost)));
      next_ = kNever;
    } else {
      before_ = types;
      next_ *= 2;
    }
  }

 private:
  static constexpr u64 kWorthIt = u64{1} << 24, kPart = 8, kNever = ~u64{0};
  static constexpr double kMost = 8;     // a beginning unlike the rest shall not take all memory
  static constexpr double kShare = 0.95;  // the room that is taken has some to spare

  Table& table_;
  u64 next_;
  double before_ = 0;  // entries half as far into the text
};

}  // namespace specialize
