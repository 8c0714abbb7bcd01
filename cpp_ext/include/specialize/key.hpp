// Strings to count: hashed, with short strings (most of them) in three words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace specialize {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

inline u64 load64(const char* p) {
  u64 v;
  std::memcpy(&v, p, 8);
  return v;
}

inline u64 fold(u64 a, u64 b) {
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
}

// A string to count. Short strings are three little-endian words of eight bytes, padded with zeros:
// hashed and compared without a branch on their length.
struct Key {
  static constexpr u32 kNear = 24;

  // No byte outside [p, p + n) is read.
  Key(const char* p, u32 n) : text(p), length(n), near{} {
    if (n <= kNear) std::memcpy(near, p, n);
    set_hash();
  }
  Key(std::string_view s) : Key(s.data(), static_cast<u32>(s.size())) {}

  // The same if kNear bytes are readable at p.
  struct Readable {};
  Key(Readable, const char* p, u32 n) : text(p), length(n) {
    for (u32 i = 0; i < 3; ++i) near[i] = load64(p + 8 * i) & mask(i);
    set_hash();
  }

  Key() = default;

  // Word ``i`` of the string, which is at most kNear long.
  u64 mask(u32 i) const { return kMasks.of[kNear - length + 8 * i]; }

  const char* text;
  u32 length;
  u64 hash;
  u64 near[3];  // the string itself, if it fits

 private:
  // of[kNear - n + 8 * i]: mask of word i for a string of n bytes
  struct Masks {
    u64 of[2 * kNear];
    constexpr Masks() : of() {
      for (u32 i = 0; i < 2 * kNear; ++i) {
        const u32 bytes = i < kNear ? std::min(kNear - i, 8u) : 0;
        of[i] = bytes == 8 ? ~u64{0} : (u64{1} << (8 * bytes)) - 1;
      }
    }
  };
  static const Masks kMasks;

  // Similar to wyhash.
  void set_hash() {
    constexpr u64 k0 = 0xa0761d6478bd642f, k1 = 0xe7037ed1a0b428db, k2 = 0x8ebc6af09c88c6e3;
    if (length <= kNear) {
      hash = fold(fold(near[0] ^ k0, near[1] ^ k1 ^ length), near[2] ^ k2);
      return;
    }
    u64 seed = k2 ^ length;
    const char *q = text, *const last = text + length - 16;
    for (; q < last; q += 16) seed = fold(load64(q) ^ k1, load64(q + 8) ^ seed);
    hash = fold(fold(load64(last) ^ k0, load64(last + 8) ^ seed), k1 ^ seed);
  }
};
inline constexpr Key::Masks Key::kMasks{};

}  // namespace specialize
