// The index of a table of counted strings: buckets of adjacent slots.
#pragma once

#include <bit>

#include "key.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace specialize {

// Eight tags, compared at once, each with the place of its entry.
struct alignas(64) Bucket {
  static constexpr u32 kLanes = 8;

  u32 tags[kLanes]{};  // 0: free; all lanes after a free one are free
  u32 places[kLanes]{};

  bool full() const { return tags[kLanes - 1]; }

  // One bit per lane with the tag.
  u32 like(u32 tag) const {
#if defined(__SSE2__)
    const __m128i sought = _mm_set1_epi32(static_cast<int>(tag));
    const auto* const all = reinterpret_cast<const __m128i*>(tags);
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(all), sought);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(all + 1), sought);
    const __m128i bytes = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
    return static_cast<u32>(_mm_movemask_epi8(bytes));
#else
    u32 bits = 0;
    for (u32 i = 0; i < kLanes; ++i) bits |= u32{tags[i] == tag} << i;
    return bits;
#endif
  }

  // Call only if not full.
  void put(u32 tag, u32 place) {
    const int lane = std::countr_zero(like(0));
    tags[lane] = tag;
    places[lane] = place;
  }

  // Calls f(tag, place) for each used lane.
  template <class F>
  void each(F f) const {
    for (u32 i = 0; i < kLanes && tags[i]; ++i) f(tags[i], places[i]);
  }
};

}  // namespace specialize
