// Tokens that may hold an unknown word, told from others by the bytes of a text.
#pragma once

#include "harmless.hpp"

namespace specialize {

// Keeps all tokens but those of Harmless, whose letters it knows by their bytes.
class Sieve {
 public:
  explicit Sieve(const Harmless& harmless) : longest_(harmless.longest()) {
    for (u32 c = 0; c < 0x80; ++c)
      if (harmless.letter(c)) low_[c & 15] |= static_cast<u8>(1 << (c >> 4));
    for (u32 c = 0x80; c < 0x800; ++c)
      if (harmless.letter(c)) two_[c >> 3] |= static_cast<u8>(1 << (c & 7));
    for (u32 c = 0x800; c < Harmless::kCharacters; ++c)
      if (harmless.letter(c)) three_[c >> 6] |= u64{1} << (c & 63);
  }

  // Whether it can be used: a token within a block shall never be too long.
  static bool suits(const Harmless& harmless) {
    return harmless.tells() && harmless.longest() >= 64;
  }

  u32 longest() const { return longest_; }

  bool one(char c) const { return low_[c & 15] >> (u8(c) >> 4) & 1; }
  // Whether what begins with these bytes is a letter, if other bytes that continue it follow.
  bool two(const char* p) const {
    return two_[(p[0] & 31) << 3 | (p[1] >> 3 & 7)] >> (p[1] & 7) & 1;
  }
  bool three(const char* p) const {
    return three_[(p[0] & 15) << 6 | (p[1] & 63)] >> (p[2] & 63) & 1;
  }

  const u8* low_table() const { return low_; }
  const u8* two_table() const { return two_; }

 private:
  u32 longest_;
  alignas(16) u8 low_[16]{};   // bit h of low_[l]: the ASCII character 16 h + l
  alignas(64) u8 two_[256]{};  // bits in the order of the characters; none for what is overlong
  u64 three_[1024]{};
};

namespace sifting {

// Of 64 bytes, bit i for byte i.
struct Kinds {
  u64 space;  // it parts tokens
  u64 ascii;  // below 0x80
  u64 one;    // a letter of one byte
  u64 inner;  // it continues a character
  u64 three;  // 0xe0 or above
  u64 four;   // 0xf0 or above
};

// The tokens that hold what is no letter, or are too long.
struct Found {
  static constexpr std::size_t kBlocks = 64;  // of 64 bytes each, that are looked at in one go

  struct Span {
    u64 begin, end;
  };

  std::size_t n = 0;
  Span spans[32 * kBlocks];  // no two tokens end side by side

  // The 64 bytes at ``p``, which is the text from ``at`` on. ``two(leads)``: those leads of
  // characters of two bytes that are letters.
  template <class F>
  [[gnu::always_inline]] void take(const Kinds& k, const char* p, u64 at, const Sieve& sieve,
                                   F two) {
    const u64 lead3 = k.three & ~k.four, lead2 = ~(k.ascii | k.inner | k.three);
    const u64 third = (lead3 << 1 | third_) & k.inner;  // the bytes that a third shall follow
    const u64 open = lead2 | lead3 | third;
    // of a character that is no letter; where one is cut off, behind it
    u64 strange = (k.ascii & ~(k.space | k.one)) | k.four | (k.inner ^ (open << 1 | due_));
    third_ = lead3 >> 63;
    due_ = open >> 63;
    if (lead2) strange |= lead2 & ~two(lead2);
    for (u64 left = lead3; left; left &= left - 1) {
      const int i = std::countr_zero(left);
      strange |= u64{!sieve.three(p + i)} << i;
    }
    add(k.space, strange, at, sieve.longest());
  }

 private:
  [[gnu::always_inline]] void add(u64 space, u64 strange, u64 at, u64 longest) {
    // subtle: what is strange is carried through the rest of its token, to the space behind it
    const u64 word = ~space;
    unsigned long long sum;
    const bool first = __builtin_uaddll_overflow(word, strange & word, &sum);
    const bool second = __builtin_uaddll_overflow(sum, u64{carried_}, &sum);
    carried_ = first || second;
    u64 ends = (sum | strange) & space;
    if (space && at + static_cast<u64>(std::countr_zero(space)) - begun_ > longest)
      ends |= space & -space;
    for (; ends; ends &= ends - 1) {
      const int end = std::countr_zero(ends);
      spans[n++] = {behind_last(space & ((u64{1} << end) - 1), at), at + static_cast<u64>(end)};
    }
    begun_ = behind_last(space, at);
  }

  u64 behind_last(u64 space, u64 at) const {
    return space ? at + 64 - static_cast<u64>(std::countl_zero(space)) : begun_;
  }

  u64 due_ = 0;           // whether the next block shall begin with an inner byte
  u64 third_ = 0;         // and whether a third is to follow that
  u64 begun_ = 0;         // where the token begins that goes on
  bool carried_ = false;  // it holds what is strange
};

}  // namespace sifting

}  // namespace specialize
