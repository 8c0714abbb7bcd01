// The tokens of a text that a sieve keeps, counted: bytes are looked at once, 64 at a time.
#pragma once

#include "scan.hpp"
#include "sieve.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace specialize {

namespace sifting {

// Looks at whole blocks at p, which is the text from ``at`` on; two bytes more can be read.
using Look = void (*)(const Sieve& sieve, const char* p, std::size_t blocks, u64 at, Found& to);

// Those of two bytes that are letters, one by one.
struct Leads {
  const Sieve& sieve;
  const char* p;

  u64 operator()(u64 leads) const {
    u64 letters = 0;
    for (; leads; leads &= leads - 1) {
      const int i = std::countr_zero(leads);
      letters |= u64{sieve.two(p + i)} << i;
    }
    return letters;
  }
};

inline void look_plain(const Sieve& sieve, const char* p, std::size_t blocks, u64 at, Found& to) {
  for (; blocks; --blocks, p += 64, at += 64) {
    Kinds k{};
    for (u32 i = 0; i < 64; ++i) {
      const u8 c = static_cast<u8>(p[i]);
      k.space |= u64{scanning::parts_tokens(p[i])} << i;
      k.ascii |= u64{c < 0x80} << i;
      k.one |= u64{c < 0x80 && sieve.one(p[i])} << i;
      k.inner |= u64{(c & 0xc0) == 0x80} << i;
      k.three |= u64{c >= 0xe0} << i;
      k.four |= u64{c >= 0xf0} << i;
    }
    to.take(k, p, at, sieve, Leads{sieve, p});
  }
}

#if defined(__x86_64__)
#define SPECIALIZE_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt"))) inline
#define SPECIALIZE_VBMI \
  __attribute__((target("avx512f,avx512bw,avx512vbmi,bmi,bmi2,popcnt"))) inline

// Bit h of byte h, to be picked by the upper half of an ASCII character.
alignas(16) inline constexpr u8 kBit[16] = {1, 2, 4, 8, 16, 32, 64, 128};

SPECIALIZE_AVX2 void look_avx2(const Sieve& sieve, const char* p, std::size_t blocks, u64 at,
                               Found& to) {
  const auto table = [&](const u8* of) __attribute__((target("avx2"))) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(of)));
  };
  const __m256i low = table(sieve.low_table()), bit = table(kBit), none = _mm256_setzero_si256();
  for (; blocks; --blocks, p += 64, at += 64) {
    __m256i space[2], other[2], inner[2], three[2], four[2], high[2];
    for (int h = 0; h < 2; ++h) {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32 * h));
      const auto is = [&](char c) __attribute__((target("avx2"))) {
        return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
      };
      space[h] = _mm256_or_si256(_mm256_or_si256(is(' '), is('\t')),
                                 _mm256_or_si256(is('\n'), is('\r')));
      const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
      const __m256i bits = _mm256_shuffle_epi8(low, v);  // none of what is not ASCII
      other[h] = _mm256_cmpeq_epi8(_mm256_and_si256(bits, _mm256_shuffle_epi8(bit, upper)), none);
      inner[h] = _mm256_cmpgt_epi8(_mm256_set1_epi8(-64), v);
      high[h] = _mm256_cmpgt_epi8(none, v);
      three[h] = _mm256_and_si256(high[h], _mm256_cmpgt_epi8(v, _mm256_set1_epi8(-33)));
      four[h] = _mm256_and_si256(high[h], _mm256_cmpgt_epi8(v, _mm256_set1_epi8(-17)));
    }
    const auto mask = [&](const __m256i (&of)[2]) __attribute__((target("avx2"))) {
      return scanning::bits_of(of[0], of[1]);
    };
    const Kinds k{mask(space), ~mask(high), ~mask(other), mask(inner), mask(three), mask(four)};
    to.take(k, p, at, sieve, Leads{sieve, p});
  }
}

// Looks characters of two bytes up in the whole table of them, 64 at once.
SPECIALIZE_VBMI void look_vbmi(const Sieve& sieve, const char* p, std::size_t blocks, u64 at,
                               Found& to) {
  const auto table = [&](const u8* of) __attribute__((target("avx512f"))) {
    return _mm512_maskz_broadcast_i32x4(  // without a mask some compilers see a fault
        0xffff, _mm_load_si128(reinterpret_cast<const __m128i*>(of)));
  };
  const auto all = [&](char c) __attribute__((target("avx512f"))) { return _mm512_set1_epi8(c); };
  const __m512i low = table(sieve.low_table()), bit = table(kBit);
  __m512i two[4];
  for (int i = 0; i < 4; ++i) two[i] = _mm512_load_si512(sieve.two_table() + 64 * i);
  for (; blocks; --blocks, p += 64, at += 64) {
    const __m512i v = _mm512_loadu_si512(p);
    const __m512i upper = _mm512_and_si512(_mm512_srli_epi16(v, 4), all(15));
    const u64 high = _mm512_movepi8_mask(v);
    const Kinds k{_mm512_cmpeq_epi8_mask(v, all(' ')) | _mm512_cmpeq_epi8_mask(v, all('\t')) |
                      _mm512_cmpeq_epi8_mask(v, all('\n')) | _mm512_cmpeq_epi8_mask(v, all('\r')),
                  ~high,
                  _mm512_test_epi8_mask(_mm512_shuffle_epi8(low, v),
                                        _mm512_shuffle_epi8(bit, upper)),
                  _mm512_cmplt_epi8_mask(v, all(-64)),
                  _mm512_cmpge_epu8_mask(v, all(char(0xe0))),
                  _mm512_cmpge_epu8_mask(v, all(char(0xf0)))};
    const auto leads = [&](u64) __attribute__((target("avx512f,avx512bw,avx512vbmi"))) {
      const __m512i next = _mm512_loadu_si512(p + 1);
      const __m512i row = _mm512_and_si512(_mm512_slli_epi16(v, 3), all(char(0xf8)));
      const __m512i column = _mm512_and_si512(_mm512_srli_epi16(next, 3), all(7));
      const __m512i place = _mm512_or_si512(row, column);
      const __m512i bits = _mm512_mask_blend_epi8(
          _mm512_movepi8_mask(place), _mm512_permutex2var_epi8(two[0], place, two[1]),
          _mm512_permutex2var_epi8(two[2], place, two[3]));
      const __m512i which = _mm512_shuffle_epi8(bit, _mm512_and_si512(next, all(7)));
      return static_cast<u64>(_mm512_test_epi8_mask(bits, which));
    };
    to.take(k, p, at, sieve, leads);
  }
}
#undef SPECIALIZE_AVX2
#undef SPECIALIZE_VBMI
#elif defined(__aarch64__)
inline void look_neon(const Sieve& sieve, const char* p, std::size_t blocks, u64 at, Found& to) {
  static constexpr u8 kBit[16] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t low = vld1q_u8(sieve.low_table()), bit = vld1q_u8(kBit);
  for (; blocks; --blocks, p += 64, at += 64) {
    uint8x16_t space[4], ascii[4], one[4], inner[4], three[4], four[4];
    for (int h = 0; h < 4; ++h) {
      const uint8x16_t v = vld1q_u8(reinterpret_cast<const u8*>(p) + 16 * h);
      const auto is = [&](char c) { return vceqq_u8(v, vdupq_n_u8(static_cast<u8>(c))); };
      space[h] = vorrq_u8(vorrq_u8(is(' '), is('\t')), vorrq_u8(is('\n'), is('\r')));
      ascii[h] = vcltq_u8(v, vdupq_n_u8(0x80));
      const uint8x16_t bits = vqtbl1q_u8(low, vandq_u8(v, vdupq_n_u8(15)));
      one[h] = vtstq_u8(bits, vqtbl1q_u8(bit, vshrq_n_u8(v, 4)));  // kBit has none of the others
      inner[h] = vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(-64));
      three[h] = vcgeq_u8(v, vdupq_n_u8(0xe0));
      four[h] = vcgeq_u8(v, vdupq_n_u8(0xf0));
    }
    const Kinds k{scanning::bits_of(space), scanning::bits_of(ascii), scanning::bits_of(one),
                  scanning::bits_of(inner), scanning::bits_of(three), scanning::bits_of(four)};
    to.take(k, p, at, sieve, Leads{sieve, p});
  }
}
#endif

inline Look best_look() {
#if defined(__x86_64__)
  __builtin_cpu_init();  // this runs before main
  const bool bits = __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (bits && __builtin_cpu_supports("avx512vbmi")) return look_vbmi;
  if (bits && __builtin_cpu_supports("avx2")) return look_avx2;
#elif defined(__aarch64__)
  return look_neon;
#endif
  return look_plain;
}

inline const Look kLook = best_look();

}  // namespace sifting

// Counts the tokens of text[0, n), which ends where a line does, that ``sieve`` keeps. ``base``:
// the place of text[0].
inline void sift(const char* text, u64 n, u64 base, const Sieve& sieve, Table& table,
                 Outlook& outlook) {
  const auto found = std::make_unique<sifting::Found>();
  Queue queue(table);
  for (u64 at = 0; at < n;) {
    std::size_t blocks = 2;
    found->n = 0;
    if (n - at >= 64 + 2) {
      blocks = static_cast<std::size_t>(std::min<u64>((n - at - 2) / 64, sifting::Found::kBlocks));
      sifting::kLook(sieve, text + at, blocks, at, *found);
    } else {
      char rest[2 * 64 + 2];
      std::memset(rest, ' ', sizeof rest);
      std::memcpy(rest, text + at, n - at);
      sifting::look_plain(sieve, rest, blocks, at, *found);
    }
    for (std::size_t i = 0; i < found->n; ++i) {
      const sifting::Found::Span& token = found->spans[i];
      queue.push(
          [&] { return scanning::key_of(text + token.begin, token.end - token.begin, text + n); },
          1, base + token.begin);
    }
    at += 64 * blocks;
    outlook.read(64 * blocks);
  }
  queue.finish();
}

}  // namespace specialize
