// From bytes to counted tokens: maximal runs of bytes other than space, tab, CR and LF.
//
// The four are white space whatever a tokenizer's rules, and no rule looks across them, so all
// Unicode rules can wait for the types (rules.hpp). Bytes are read once, 64 at a time.
#pragma once

#include <stdexcept>
#include <string>

#include "outlook.hpp"
#include "threads.hpp"
#include "utf8.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace specialize {

// Lengths of the lines, their ends and the white space around them left out (Python's str.strip).
struct Extent {
  u64 characters = 0, bytes = 0;

  Extent& operator+=(const Extent& o) {
    characters += o.characters;
    bytes += o.bytes;
    return *this;
  }
};

namespace scanning {

struct Masks {
  u64 space;  // bit i: byte i parts tokens
  u64 inner;  // bit i: byte i continues a character
};

inline bool parts_tokens(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

inline Masks masks_of_few(const char* p, std::size_t n) {
  Masks m{n < 64 ? ~u64{0} << n : 0, 0};  // behind the end everything is space
  for (std::size_t i = 0; i < n; ++i) {
    m.space |= u64{parts_tokens(p[i])} << i;
    m.inner |= u64{(u8(p[i]) & 0xc0) == 0x80} << i;
  }
  return m;
}

using Blocks = void (*)(const char* p, std::size_t blocks, Masks* out);

inline void blocks_plain(const char* p, std::size_t blocks, Masks* out) {
  for (std::size_t b = 0; b < blocks; ++b) out[b] = masks_of_few(p + 64 * b, 64);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) inline void blocks_avx2(const char* p, std::size_t blocks,
                                                        Masks* out) {
  const __m256i sp = _mm256_set1_epi8(' '), lf = _mm256_set1_epi8('\n'),
                tab = _mm256_set1_epi8('\t'), cr = _mm256_set1_epi8('\r'),
                low = _mm256_set1_epi8(-64);
  for (std::size_t b = 0; b < blocks; ++b) {
    u64 space = 0, inner = 0;
    for (int h = 0; h < 2; ++h) {
      const __m256i v =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 64 * b + 32 * h));
      const __m256i s = _mm256_or_si256(
          _mm256_or_si256(_mm256_cmpeq_epi8(v, sp), _mm256_cmpeq_epi8(v, lf)),
          _mm256_or_si256(_mm256_cmpeq_epi8(v, tab), _mm256_cmpeq_epi8(v, cr)));
      space |= u64{u32(_mm256_movemask_epi8(s))} << (32 * h);
      inner |= u64{u32(_mm256_movemask_epi8(_mm256_cmpgt_epi8(low, v)))} << (32 * h);
    }
    out[b] = {space, inner};
  }
}

__attribute__((target("avx512bw,avx512f"))) inline void blocks_avx512(const char* p,
                                                                      std::size_t blocks,
                                                                      Masks* out) {
  const __m512i sp = _mm512_set1_epi8(' '), lf = _mm512_set1_epi8('\n'),
                tab = _mm512_set1_epi8('\t'), cr = _mm512_set1_epi8('\r'),
                low = _mm512_set1_epi8(-64);
  for (std::size_t b = 0; b < blocks; ++b) {
    const __m512i v = _mm512_loadu_si512(p + 64 * b);
    out[b] = {_mm512_cmpeq_epi8_mask(v, sp) | _mm512_cmpeq_epi8_mask(v, lf) |
                  _mm512_cmpeq_epi8_mask(v, tab) | _mm512_cmpeq_epi8_mask(v, cr),
              _mm512_cmplt_epi8_mask(v, low)};
  }
}
#elif defined(__aarch64__)
inline u64 bits_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
  const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
  uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
  uint8x16_t all = vpaddq_u8(ab, cd);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

inline void blocks_neon(const char* p, std::size_t blocks, Masks* out) {
  for (std::size_t b = 0; b < blocks; ++b) {
    uint8x16_t s[4], n[4];
    for (int h = 0; h < 4; ++h) {
      const uint8x16_t v = vld1q_u8(reinterpret_cast<const u8*>(p) + 64 * b + 16 * h);
      s[h] = vorrq_u8(vorrq_u8(vceqq_u8(v, vdupq_n_u8(' ')), vceqq_u8(v, vdupq_n_u8('\n'))),
                      vorrq_u8(vceqq_u8(v, vdupq_n_u8('\t')), vceqq_u8(v, vdupq_n_u8('\r'))));
      n[h] = vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(-64));
    }
    out[b] = {bits_of(s[0], s[1], s[2], s[3]), bits_of(n[0], n[1], n[2], n[3])};
  }
}
#endif

inline Blocks best_blocks() {
#if defined(__x86_64__)
  __builtin_cpu_init();  // this runs before main
  if (__builtin_cpu_supports("avx512bw")) return blocks_avx512;
  if (__builtin_cpu_supports("avx2")) return blocks_avx2;
#elif defined(__aarch64__)
  return blocks_neon;
#endif
  return blocks_plain;
}

inline const Blocks kBlocks = best_blocks();

inline Key key_of(const char* p, u64 n, const char* end) {
  if (n >= u64{1} << 32) throw std::length_error("a token of 4 GB or more");
  const u32 length = static_cast<u32>(n);
  return p + Key::kNear <= end ? Key::readable(p, length) : Key(p, length);
}

// Follows tokens and adds up the lines they stand in.
class Lines {
 public:
  explicit Lines(const char* text) : text_(text) {}

  void token(u64 begin, u64 end) {
    if (last_ == kNone) {
      first_ = begin;
    } else if (begin - last_ != 1 || text_[last_] != ' ') {
      for (u64 i = last_; i < begin; ++i) {
        if (text_[i] == '\n' || text_[i] == '\r') {
          close();
          first_ = begin;
          break;
        }
      }
    }
    last_ = end;
  }

  void inner(u64 n) { inner_ += n; }

  Extent total() {
    if (last_ != kNone) close();
    extent_.characters = extent_.bytes - inner_;
    return extent_;
  }

 private:
  static constexpr u64 kNone = ~u64{0};

  void close() {
    const char *a = text_ + first_, *b = text_ + last_;
    while (a < b) {  // Unicode's white space, which tokens may hold, is stripped too
      const u32 n = strippable_at(a, b);
      if (!n && !parts_tokens(*a)) break;
      inner_ -= n ? n - 1 : 0;
      a += n ? n : 1;
    }
    while (a < b) {
      const u32 n = strippable_before(a, b);
      if (!n && !parts_tokens(b[-1])) break;
      inner_ -= n ? n - 1 : 0;
      b -= n ? n : 1;
    }
    extent_.bytes += static_cast<u64>(b - a);
  }

  const char* text_;
  u64 first_ = 0, last_ = kNone, inner_ = 0;
  Extent extent_;
};

}  // namespace scanning

// Counts the tokens of text[0, n), which ends where a line does. ``base``: the place of text[0].
inline Extent scan(const char* text, u64 n, u64 base, Table& table) {
  constexpr std::size_t kWindow = 64;  // blocks looked at together
  scanning::Masks masks[kWindow];
  scanning::Lines lines(text);
  Queue queue(table);
  Outlook outlook(table, n);
  const char* const end = text + n;
  bool inside = false;
  u64 begin = 0;
  for (u64 at = 0; at < n;) {
    outlook.look(at);
    std::size_t blocks = std::min<u64>((n - at) / 64, kWindow);
    if (blocks) {
      scanning::kBlocks(text + at, blocks, masks);
    } else {
      masks[0] = scanning::masks_of_few(text + at, n - at);
      blocks = 1;
    }
    for (std::size_t b = 0; b < blocks; ++b, at += 64) {
      lines.inner(static_cast<u64>(__builtin_popcountll(masks[b].inner)));
      const u64 word = ~masks[b].space;
      u64 edges = word ^ ((word << 1) | u64{inside});  // where white space and tokens meet
      inside = word >> 63;
      for (; edges; edges &= edges - 1) {
        const u64 place = at + static_cast<u64>(__builtin_ctzll(edges));
        if (!((word >> (place - at)) & 1)) {
          queue.push(scanning::key_of(text + begin, place - begin, end), 1, base + begin);
          lines.token(begin, place);
        } else {
          begin = place;
        }
      }
    }
  }
  if (inside) {
    queue.push(scanning::key_of(text + begin, n - begin, end), 1, base + begin);
    lines.token(begin, n);
  }
  queue.finish();
  return lines.total();
}

// The same with several threads, each of which counts a run of whole lines.
inline Extent scan(const char* text, u64 n, u64 base, Table& table, unsigned threads) {
  constexpr u64 kWorthIt = u64{1} << 20;
  threads = static_cast<unsigned>(std::min<u64>(threads, n / kWorthIt));
  if (threads < 2) return scan(text, n, base, table);
  std::vector<u64> cuts{0};
  for (unsigned t = 1; t < threads; ++t) {
    u64 cut = std::max(cuts.back(), n / threads * t);
    const void* end = std::memchr(text + cut, '\n', n - cut);
    cuts.push_back(end ? static_cast<u64>(static_cast<const char*>(end) - text) + 1 : n);
  }
  cuts.push_back(n);
  std::vector<Table> tables(threads);
  std::vector<Extent> extents(threads);
  run(threads, [&](unsigned t) {
    extents[t] = scan(text + cuts[t], cuts[t + 1] - cuts[t], base + cuts[t], tables[t]);
  });
  merge(table, tables, threads);
  Extent all;
  for (const Extent& e : extents) all += e;
  return all;
}

}  // namespace specialize
