// Whether strings are UTF-8: one by one, or 32 bytes at a time in the manner of Keiser and Lemire.
#pragma once

#include "utf8.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace specialize {

inline bool valid(std::string_view text) {
  const char *p = text.data(), *const end = p + text.size();
  for (u32 n; p < end; p += n) {
    if (end - p >= 8 && !(load64(p) & 0x8080808080808080ull)) {
      n = 8;
      continue;
    }
    if (decode(p, end, n) == kInvalid) return false;
  }
  return true;
}

namespace validating {

inline bool plain(const Entry& e) { return valid(e.view()); }

#if defined(__x86_64__)
#define SPECIALIZE_AVX2 __attribute__((target("avx2"))) inline

// What two bytes in turn may have wrong: a fault is a bit that three tables agree on.
enum : u8 {
  kShort = 1,            // a lead that no inner byte follows
  kLong = 2,             // an inner byte behind ASCII
  kOver3 = 4,            // e0 80..9f: a character of three bytes that needs two
  kTooLarge = 8,         // f4 90.., f5..: beyond the last character
  kSurrogate = 16,       // ed a0..bf
  kOver2 = 32,           // c0, c1
  kOver4 = 64,           // f0 80..8f
  kTooLarge1000 = 64,    // f5 80..8f and on
  kTwoInner = 128,       // right only in a character of three or four bytes
  kCarry = kShort | kLong | kTwoInner,
};

SPECIALIZE_AVX2 __m256i table(const u8 (&of)[16]) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(of)));
}

// ``v`` moved up by N bytes, the last of ``before`` in their place.
template <int N>
SPECIALIZE_AVX2 __m256i behind(__m256i v, __m256i before) {
  return _mm256_alignr_epi8(v, _mm256_permute2x128_si256(before, v, 0x21), 16 - N);
}

// Not zero where bytes of ``v``, which stand behind ``before``, are faulty.
SPECIALIZE_AVX2 __m256i faults(__m256i v, __m256i before) {
  static constexpr u8 kLeadHigh[16] = {kLong, kLong, kLong, kLong, kLong, kLong, kLong, kLong,
                                       kTwoInner, kTwoInner, kTwoInner, kTwoInner,
                                       kShort | kOver2, kShort,
                                       kShort | kOver3 | kSurrogate,
                                       kShort | kTooLarge | kTooLarge1000 | kOver4};
  constexpr u8 kHigh = kCarry | kTooLarge | kTooLarge1000;
  static constexpr u8 kLeadLow[16] = {kCarry | kOver3 | kOver2 | kOver4, kCarry | kOver2, kCarry,
                                      kCarry, kCarry | kTooLarge, kHigh, kHigh, kHigh, kHigh,
                                      kHigh, kHigh, kHigh, kHigh, kHigh | kSurrogate, kHigh, kHigh};
  constexpr u8 kInner = kLong | kOver2 | kTwoInner;
  static constexpr u8 kNextHigh[16] = {kShort, kShort, kShort, kShort, kShort, kShort, kShort,
                                       kShort, kInner | kOver3 | kTooLarge1000 | kOver4,
                                       kInner | kOver3 | kTooLarge,
                                       kInner | kSurrogate | kTooLarge,
                                       kInner | kSurrogate | kTooLarge,
                                       kShort, kShort, kShort, kShort};
  const __m256i low = _mm256_set1_epi8(0x0f), lead = behind<1>(v, before);
  const auto high = [&](__m256i x) __attribute__((target("avx2"))) {
    return _mm256_and_si256(_mm256_srli_epi16(x, 4), low);
  };
  const __m256i pairs = _mm256_and_si256(
      _mm256_and_si256(_mm256_shuffle_epi8(table(kLeadHigh), high(lead)),
                       _mm256_shuffle_epi8(table(kLeadLow), _mm256_and_si256(lead, low))),
      _mm256_shuffle_epi8(table(kNextHigh), high(v)));
  const __m256i third = _mm256_subs_epu8(behind<2>(v, before), _mm256_set1_epi8(char(0xe0 - 0x80)));
  const __m256i fourth = _mm256_subs_epu8(behind<3>(v, before), _mm256_set1_epi8(char(0xf0 - 0x80)));
  const __m256i inner = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(char(0x80)));
  return _mm256_xor_si256(inner, pairs);
}

SPECIALIZE_AVX2 bool avx2(const Entry& e) {
  const __m256i none = _mm256_setzero_si256();
  const char* const text = e.text();
  const u64 length = e.length();
  if (length <= Key::kNear) {  // with zeros behind its end no character goes on there
    const __m256i read = _mm256_maskload_epi64(reinterpret_cast<const long long*>(text),
                                               _mm256_setr_epi64x(-1, -1, -1, 0));
    const __m256i place =
        _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                         21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    const __m256i inside = _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(length)), place);
    const __m256i v = _mm256_and_si256(read, inside);
    const __m256i wrong = faults(v, none);
    return _mm256_testz_si256(wrong, wrong);
  }
  __m256i before = none, wrong = none;
  for (u64 at = 0; at <= length; at += 32) {  // up to its end and a zero at least
    __m256i v;
    if (length - at >= 32) {
      v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + at));
    } else {
      char rest[32] = {};
      std::memcpy(rest, text + at, length - at);
      v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rest));
    }
    wrong = _mm256_or_si256(wrong, faults(v, before));
    before = v;
  }
  return _mm256_testz_si256(wrong, wrong);
}
#undef SPECIALIZE_AVX2
#endif

inline bool (*best())(const Entry&) {
#if defined(__x86_64__)
  __builtin_cpu_init();  // this runs before main
  if (__builtin_cpu_supports("avx2")) return avx2;
#endif
  return plain;
}

inline bool (*const kValid)(const Entry&) = best();

}  // namespace validating

inline bool valid(const Entry& e) { return validating::kValid(e); }

}  // namespace specialize
