// The index of a table of counted strings: buckets of what stands side by side in memory.
#pragma once

#include <bit>

#include "key.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace specialize {

// Where entries are: eight tags, compared at once, and beside each the place of its entry.
struct alignas(64) Bucket {
  static constexpr u32 kLanes = 8;

  u32 tags[kLanes]{};  // 0: free; no lane behind a free one is taken
  u32 places[kLanes]{};

  bool full() const { return tags[kLanes - 1]; }

  // A bit for each lane with the tag.
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

  // To be called of one that is not full.
  void put(u32 tag, u32 place) {
    const int lane = std::countr_zero(like(0));
    tags[lane] = tag;
    places[lane] = place;
  }

  // Calls f(tag, place) for each lane that is taken.
  template <class F>
  void each(F f) const {
    for (u32 i = 0; i < kLanes && tags[i]; ++i) f(tags[i], places[i]);
  }
};

}  // namespace specialize
