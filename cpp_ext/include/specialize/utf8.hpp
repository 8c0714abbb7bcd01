// UTF-8, one character at a time: validated once, then trusted.
#pragma once

#include <string>

#include "table.hpp"

namespace specialize {

constexpr u32 kInvalid = 0xffffffff;

// The character at p < end, its length in n; kInvalid (n = 1) if the bytes are invalid.
inline u32 decode(const char* p, const char* end, u32& n) {
  const u8 a = static_cast<u8>(p[0]);
  n = 1;
  if (a < 0x80) return a;
  const auto more = [&](int i) { return p + i < end && (u8(p[i]) & 0xc0) == 0x80; };
  const auto low = [&](int i) { return u32{u8(p[i])} & 0x3f; };
  if (a >= 0xc2 && a < 0xe0 && more(1)) {
    n = 2;
    return (u32{a} & 0x1f) << 6 | low(1);
  }
  if (a >= 0xe0 && a < 0xf0 && more(1) && more(2)) {
    const u32 c = (u32{a} & 0x0f) << 12 | low(1) << 6 | low(2);
    if (c < 0x800 || (c >= 0xd800 && c < 0xe000)) return kInvalid;
    n = 3;
    return c;
  }
  if (a >= 0xf0 && a < 0xf5 && more(1) && more(2) && more(3)) {
    const u32 c = (u32{a} & 0x07) << 18 | low(1) << 12 | low(2) << 6 | low(3);
    if (c < 0x10000 || c > 0x10ffff) return kInvalid;
    n = 4;
    return c;
  }
  return kInvalid;
}

inline bool valid(std::string_view text) {
  const char *p = text.data(), *const end = p + text.size();
  for (u32 n; p < end; p += n)
    if (decode(p, end, n) == kInvalid) return false;
  return true;
}

// The character at p of valid UTF-8.
inline u32 character(const char* p, u32& n) {
  const auto low = [&](int i) { return u32{u8(p[i])} & 0x3f; };
  const u32 a = u8(p[0]);
  if (a < 0x80) {
    n = 1;
    return a;
  }
  if (a < 0xe0) {
    n = 2;
    return (a & 0x1f) << 6 | low(1);
  }
  if (a < 0xf0) {
    n = 3;
    return (a & 0x0f) << 12 | low(1) << 6 | low(2);
  }
  n = 4;
  return (a & 0x07) << 18 | low(1) << 12 | low(2) << 6 | low(3);
}

// Calls f(character) for each character of valid UTF-8.
template <class F>
void each_character(std::string_view text, F f) {
  const char *p = text.data(), *const end = p + text.size();
  for (u32 n; p < end; p += n) f(character(p, n));
}

inline void encode(u32 c, std::string& to) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xc0 | c >> 6);
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    to += static_cast<char>(0xe0 | c >> 12);
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    to += static_cast<char>(0xf0 | c >> 18);
    to += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  }
}

// White space for Python's str.strip other than space, tab, CR and LF.
inline bool strippable(u32 c) {
  if (c < 0x80) return c == 0x0b || c == 0x0c || (c >= 0x1c && c <= 0x1f);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

// The length of such a character at p, or 0.
inline u32 strippable_at(const char* p, const char* end) {
  u32 n;
  return strippable(decode(p, end, n)) ? n : 0;
}

// The length of such a character ending before ``end``, or 0.
inline u32 strippable_before(const char* begin, const char* end) {
  for (u32 back = 1; back <= 3 && end - back >= begin; ++back) {
    if ((u8(end[-static_cast<int>(back)]) & 0xc0) == 0x80) continue;
    const u32 n = strippable_at(end - back, end);
    return n == back ? n : 0;
  }
  return 0;
}

}  // namespace specialize
