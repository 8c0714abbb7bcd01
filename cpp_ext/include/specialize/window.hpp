// Finds the ends of tokens and lines by comparing many bytes at once.
//
// Tokens are maximal runs of bytes other than space, tab, CR and LF, which are white space under
// any tokenizer's rules; no rule looks across them.
#pragma once

#include <bit>

#include "key.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace specialize::scanning {

inline bool parts_tokens(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Results for the last bytes scanned.
struct Window {
  static constexpr std::size_t kBlocks = 64;  // of 64 bytes each, at most

  bool inside = false;    // a token continues after them
  u64 inner;              // bytes that continue a character
  std::size_t n;          // edges
  std::size_t lines;      // breaks
  u64 edges[64 * kBlocks + 8];   // starts and ends of tokens alternately, with spare room
  u32 breaks[64 * kBlocks];      // number of edges before each line end, without repeats

  void open() { inner = n = lines = 0; }

  // Adds 64 bytes at ``at``; bit i is byte i. ``space`` separates tokens, ``ends`` separates lines,
  // ``continued`` continues a character.
  [[gnu::always_inline]] void take(u64 space, u64 ends, u64 continued, u64 at) {
    const u64 word = ~space;
    u64 met = word ^ ((word << 1) | u64{inside});  // edges of white space and tokens
    inside = word >> 63;
    inner += static_cast<u64>(std::popcount(continued));
    for (; ends; ends &= ends - 1) {
      const u64 up_to = ends ^ (ends - 1);
      const u32 before = static_cast<u32>(n) + static_cast<u32>(std::popcount(met & up_to));
      if (!lines || breaks[lines - 1] != before) breaks[lines++] = before;
    }
    u64* to = edges + n;
    n += static_cast<std::size_t>(std::popcount(met));
    while (met) {
      for (int i = 0; i < 8; ++i) {  // possibly more than needed: one branch for all
        *to++ = at + static_cast<u64>(std::countr_zero(met));
        met &= met - 1;
      }
    }
  }
};

// 16 bytes in the compilers' vector extension: every x86-64 and 64-bit Arm processor has such
// vectors, so no dispatch at run time. Wider ones save 5 % of a count.
using Bytes [[gnu::vector_size(16)]] = u8;

// Bit i: byte i is 0xff; bytes must be 0xff or 0.
[[gnu::always_inline]] inline u64 bits_of(Bytes of) {
#if defined(__SSE2__)
  return static_cast<u64>(_mm_movemask_epi8(reinterpret_cast<__m128i>(of)));
#else
  u64 words[2];
  std::memcpy(words, &of, sizeof words);
  const auto eight = [](u64 word) {  // subtle: the product gathers the lowest bits
    return (word & 0x0101010101010101) * 0x0102040810204080 >> 56;
  };
  return eight(words[0]) | eight(words[1]) << 8;
#endif
}

// Scans blocks of 64 bytes at p, position ``at`` of the text.
inline void look(const char* p, std::size_t blocks, u64 at, Window& to) {
  for (std::size_t b = 0; b < 64 * blocks; b += 64) {
    u64 space = 0, ends = 0, continued = 0;
    for (std::size_t i = 0; i < 64; i += 16) {
      Bytes v;
      std::memcpy(&v, p + b + i, sizeof v);
      const Bytes end = reinterpret_cast<Bytes>((v == '\n') | (v == '\r'));
      const Bytes part = reinterpret_cast<Bytes>((v == ' ') | (v == '\t')) | end;
      space |= bits_of(part) << i;
      ends |= bits_of(end) << i;
      continued |= bits_of(reinterpret_cast<Bytes>((v & 0xc0) == 0x80)) << i;
    }
    to.take(space, ends, continued, at + b);
  }
}

}  // namespace specialize::scanning
