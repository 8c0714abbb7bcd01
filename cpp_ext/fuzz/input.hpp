// The bytes that libFuzzer hands over, read as numbers, choices and text.
#pragma once

#include <span>

#include "specialize/utf8.hpp"

namespace input {

using specialize::u32;
using specialize::u8;

// Characters of one to four bytes, marks, white space of Unicode, and what vocabularies mark with.
inline constexpr u32 kLetters[] = {
    ' ',    '\n',   'a',    'b',    'c',    '#',     '[',  ']', '\t',  '\r',   0x0b,
    0x1c,   0x85,   0xa0,   0xe9,   0x301,  0x5d0,   0x626, 0x200d, 0x2028, 0x3000, 0x4e16,
    0xfffd, 0x1f600, 0,     '.',    0x640,  0xac00,  0xdf, 0x2009, 'M',    0x10ffff};

inline std::string text_of(u32 code) {
  std::string text;
  specialize::encode(code, text);
  return text;
}

class Input {
 public:
  Input(const u8* p, std::size_t n, std::span<const u32> letters = kLetters)
      : p_(p), end_(p + n), letters_(letters) {}
  u32 byte() { return p_ < end_ ? *p_++ : 0; }
  u32 below(u32 n) { return byte() % n; }
  bool coin() { return byte() & 1; }
  u32 letter() { return letters_[below(static_cast<u32>(letters_.size()))]; }
  std::string rest(bool lettered) {
    std::string text;
    for (; p_ < end_; ++p_)
      text += lettered ? text_of(letters_[*p_ % letters_.size()])
                       : std::string(1, static_cast<char>(*p_));
    return text;
  }

 private:
  const u8 *p_, *end_;
  std::span<const u32> letters_;
};

}  // namespace input
