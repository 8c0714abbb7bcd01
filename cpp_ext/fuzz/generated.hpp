// A long text to try the headers on: words of a skewed distribution in two alphabets, with marks,
// long tokens and odd white space.
#pragma once

#include <random>

#include "specialize/utf8.hpp"

namespace generated {

using specialize::u32;
using specialize::u64;

inline std::string text(std::size_t bytes) {
  std::mt19937_64 random(7);
  std::vector<std::string> types;
  for (int i = 0; i < 30'000; ++i) {
    std::string word;
    for (u64 n = 1 + random() % 9; n--;) {
      const auto letter = static_cast<u32>(random() % 24);
      specialize::encode(i % 2 ? 'a' + letter : 0x628 + letter, word);
      if (random() % 40 == 0) specialize::encode(0x301, word);
    }
    types.push_back(word);
  }
  std::string text;
  for (std::size_t nth = 0; text.size() < bytes; ++nth) {
    const double even = static_cast<double>(random() >> 11) * 0x1p-53;
    text += types[static_cast<std::size_t>(even * even * even * 30'000)];
    if (nth % 50'000 == 49'999) text.append(5'000 + nth % 30'000, 'z');  // blocks of their own
    text += nth % 17 == 0 ? ".\n" : nth % 91 == 0 ? "\u3000" : nth % 31 == 0 ? "\u200c" : " ";
  }
  return text;
}

}  // namespace generated
