// Where tokens and lines begin and end: bytes are looked at once, 64 at a time.
//
// Tokens are maximal runs of bytes other than space, tab, CR and LF; these are white space whatever
// a tokenizer's rules, and no rule looks across them.
#pragma once

#include <bit>

#include "key.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace specialize::scanning {

inline bool parts_lines(char c) { return c == '\n' || c == '\r'; }
inline bool parts_tokens(char c) { return c == ' ' || c == '\t' || parts_lines(c); }

// Of 64 bytes, bit i for byte i.
struct Masks {
  u64 space;  // it parts tokens
  u64 lines;  // it parts lines
  u64 inner;  // it continues a character
};

inline Masks masks_of_few(const char* p, std::size_t n) {
  Masks m{n < 64 ? ~u64{0} << n : 0, 0, 0};  // behind the end everything is space
  for (std::size_t i = 0; i < n; ++i) {
    m.space |= u64{parts_tokens(p[i])} << i;
    m.lines |= u64{parts_lines(p[i])} << i;
    m.inner |= u64{(u8(p[i]) & 0xc0) == 0x80} << i;
  }
  return m;
}

// What was found in the bytes looked at last.
struct Window {
  static constexpr std::size_t kBlocks = 64;  // of 64 bytes each, at most

  bool inside = false;    // a token goes on behind them
  u64 inner;              // bytes that continue a character
  std::size_t n;          // edges
  std::size_t lines;      // breaks
  u64 edges[64 * kBlocks + 8];   // where tokens begin and end, in turns, with room to spare
  u32 breaks[64 * kBlocks];      // edges before each end of a line, but for what repeats

  void open() { inner = n = lines = 0; }

  // The bytes from ``at`` on.
  [[gnu::always_inline]] void take(const Masks& m, u64 at) {
    const u64 word = ~m.space;
    u64 met = word ^ ((word << 1) | u64{inside});  // white space and tokens
    inside = word >> 63;
    inner += static_cast<u64>(std::popcount(m.inner));
    for (u64 ends = m.lines; ends; ends &= ends - 1) {
      const u64 up_to = ends ^ (ends - 1);
      const u32 before = static_cast<u32>(n) + static_cast<u32>(std::popcount(met & up_to));
      if (!lines || breaks[lines - 1] != before) breaks[lines++] = before;
    }
    u64* to = edges + n;
    n += static_cast<std::size_t>(std::popcount(met));
    while (met) {
      for (int i = 0; i < 8; ++i) {  // perhaps more than there are: one branch for all
        *to++ = at + static_cast<u64>(std::countr_zero(met));
        met &= met - 1;
      }
    }
  }
};

// Looks at whole blocks of 64 bytes at p, which is the text from ``at`` on.
using Look = void (*)(const char* p, std::size_t blocks, u64 at, Window& to);

inline void look_plain(const char* p, std::size_t blocks, u64 at, Window& to) {
  for (std::size_t b = 0; b < 64 * blocks; b += 64) to.take(masks_of_few(p + b, 64), at + b);
}

#if defined(__x86_64__)
#define SPECIALIZE_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt"))) inline
#define SPECIALIZE_AVX512 __attribute__((target("avx512f,avx512bw,bmi,bmi2,popcnt"))) inline

SPECIALIZE_AVX2 u64 bits_of(__m256i low, __m256i high) {
  return u64{u32(_mm256_movemask_epi8(low))} | u64{u32(_mm256_movemask_epi8(high))} << 32;
}

SPECIALIZE_AVX2 void look_avx2(const char* p, std::size_t blocks, u64 at, Window& to) {
  const __m256i sp = _mm256_set1_epi8(' '), lf = _mm256_set1_epi8('\n'),
                tab = _mm256_set1_epi8('\t'), cr = _mm256_set1_epi8('\r'),
                low = _mm256_set1_epi8(-64);
  for (std::size_t b = 0; b < 64 * blocks; b += 64) {
    __m256i space[2], lines[2], inner[2];
    for (int h = 0; h < 2; ++h) {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + b + 32 * h));
      lines[h] = _mm256_or_si256(_mm256_cmpeq_epi8(v, lf), _mm256_cmpeq_epi8(v, cr));
      space[h] = _mm256_or_si256(_mm256_cmpeq_epi8(v, sp), _mm256_cmpeq_epi8(v, tab));
      inner[h] = _mm256_cmpgt_epi8(low, v);
    }
    const u64 ends = bits_of(lines[0], lines[1]);
    to.take({bits_of(space[0], space[1]) | ends, ends, bits_of(inner[0], inner[1])}, at + b);
  }
}

SPECIALIZE_AVX512 void look_avx512(const char* p, std::size_t blocks, u64 at, Window& to) {
  const __m512i sp = _mm512_set1_epi8(' '), lf = _mm512_set1_epi8('\n'),
                tab = _mm512_set1_epi8('\t'), cr = _mm512_set1_epi8('\r'),
                low = _mm512_set1_epi8(-64);
  for (std::size_t b = 0; b < 64 * blocks; b += 64) {
    const __m512i v = _mm512_loadu_si512(p + b);
    const u64 ends = _mm512_cmpeq_epi8_mask(v, lf) | _mm512_cmpeq_epi8_mask(v, cr);
    const u64 space = _mm512_cmpeq_epi8_mask(v, sp) | _mm512_cmpeq_epi8_mask(v, tab);
    to.take({space | ends, ends, _mm512_cmplt_epi8_mask(v, low)}, at + b);
  }
}
#undef SPECIALIZE_AVX2
#undef SPECIALIZE_AVX512
#elif defined(__aarch64__)
inline u64 bits_of(const uint8x16_t (&of)[4]) {
  const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t a = vpaddq_u8(vandq_u8(of[0], bit), vandq_u8(of[1], bit));
  const uint8x16_t b = vpaddq_u8(vandq_u8(of[2], bit), vandq_u8(of[3], bit));
  const uint8x16_t all = vpaddq_u8(a, b);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

inline void look_neon(const char* p, std::size_t blocks, u64 at, Window& to) {
  for (std::size_t b = 0; b < 64 * blocks; b += 64) {
    uint8x16_t space[4], lines[4], inner[4];
    for (int h = 0; h < 4; ++h) {
      const uint8x16_t v = vld1q_u8(reinterpret_cast<const u8*>(p) + b + 16 * h);
      lines[h] = vorrq_u8(vceqq_u8(v, vdupq_n_u8('\n')), vceqq_u8(v, vdupq_n_u8('\r')));
      space[h] = vorrq_u8(vceqq_u8(v, vdupq_n_u8(' ')), vceqq_u8(v, vdupq_n_u8('\t')));
      inner[h] = vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(-64));
    }
    const u64 ends = bits_of(lines);
    to.take({bits_of(space) | ends, ends, bits_of(inner)}, at + b);
  }
}
#endif

inline Look best_look() {
#if defined(__x86_64__)
  __builtin_cpu_init();  // this runs before main
  const bool bits = __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (bits && __builtin_cpu_supports("avx512bw")) return look_avx512;
  if (bits && __builtin_cpu_supports("avx2")) return look_avx2;
#elif defined(__aarch64__)
  return look_neon;
#endif
  return look_plain;
}

inline const Look kLook = best_look();

}  // namespace specialize::scanning
