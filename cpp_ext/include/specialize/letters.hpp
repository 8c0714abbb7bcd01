// Numbers the characters of a vocabulary's pieces.
#pragma once

#include <array>
#include <vector>

#include "utf8.hpp"

namespace specialize {

class Letters {
 public:
  // 0: in no piece.
  u32 of(u32 c) const { return c < kCharacters ? rows_[pages_[c >> 8]][c & 0xff] : 0; }

  void set(u32 c, u32 number) {
    u32& page = pages_[c >> 8];
    if (page == 0) {
      page = static_cast<u32>(rows_.size());
      rows_.push_back({});
    }
    rows_[page][c & 0xff] = number;
  }

  // Renumbers from 1 in code point order, so that a script's characters are close together. Returns
  // the number of numbers, including 0.
  u32 renumber() {
    u32 last = 0;
    for (u32 page : pages_)
      if (page)
        for (u32& letter : rows_[page]) letter = letter ? ++last : 0;
    return last + 1;
  }

 private:
  static constexpr u32 kCharacters = 0x110000;

  std::array<u32, (kCharacters >> 8)> pages_{};
  std::vector<std::array<u32, 256>> rows_{1};  // row 0: no letters
};

}  // namespace specialize
