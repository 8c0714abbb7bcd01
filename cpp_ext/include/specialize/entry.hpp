// A counted string: its occurrences and first position.
#pragma once

#include <new>
#include <stdexcept>

#include "key.hpp"

namespace specialize {

// Twelve bytes, followed by the string: with millions of types, memory dominates the time. At least
// Key::kNear bytes after the twelve are readable.
class [[gnu::packed]] Entry {
 public:
  u64 count() const { return place_ >> kCountAt << 32 | low_; }
  u64 first() const { return place_ & kFirst; }                  // position of the first occurrence
  u64 length() const { return is_long() ? load64(behind()) : short_length(); }
  const char* text() const { return behind() + (is_long() ? 8 : 0); }
  std::string_view view() const { return {text(), length()}; }

  Key key() const {
    if (short_length() > Key::kNear) return Key(view());
    return Key(Key::Readable{}, behind(), static_cast<u32>(short_length()));
  }

  // Adds ``n`` if the string is the one stored here.
  bool add(const Key& key, u64 n, u64 at) {
    if (!holds(key)) return false;
    count_more(n);
    if (at < first()) place_ = (place_ & ~kFirst) | at;
    return true;
  }

  // The size of an entry for a string of this length.
  static u64 size(u64 length) { return sizeof(Entry) + (length < kLong ? 0 : 8) + length; }

  // Creates one of size(key.length) at ``to``; Key::kNear more bytes are overwritten.
  static void make(char* to, const Key& key, u64 count, u64 first) {
    if (first > kFirst) throw std::length_error("a text of 256 TB or more");
    Entry& e = *new (to) Entry;
    e.place_ = first | std::min<u64>(key.length, kLong) << kLengthAt;
    e.set_count(count);
    to += sizeof(Entry);
    if (key.length <= Key::kNear) return void(std::memcpy(to, key.near, sizeof key.near));
    if (e.is_long()) {
      const u64 length = key.length;
      std::memcpy(to, &length, 8);
      to += 8;
    }
    std::memcpy(to, key.text, key.length);
  }

 private:
  static constexpr u64 kLong = 63;  // as a short length: the length is stored before the string
  static constexpr u32 kLengthAt = 48, kCountAt = 54;
  static constexpr u64 kFirst = (u64{1} << kLengthAt) - 1, kUpToCount = (u64{1} << kCountAt) - 1;

  static constexpr u64 kTooMany = u64{1} << (32 + 64 - kCountAt);

  u64 place_;  // from the lowest bit: position, short length, upper ten bits of the count
  u32 low_;    // the lower bits

  bool is_long() const { return short_length() == kLong; }
  u64 short_length() const { return place_ >> kLengthAt & kLong; }
  const char* behind() const { return reinterpret_cast<const char*>(this + 1); }
  u64 word(u32 i) const { return load64(behind() + 8 * i); }

  void count_more(u64 n) {
    if (n < ~low_)  // no carry
      low_ += static_cast<u32>(n);
    else
      set_count(count() + std::min(n, kTooMany));
  }
  void set_count(u64 n) {
    if (n >= kTooMany) throw std::length_error("four million million of one string");
    place_ = (place_ & kUpToCount) | n >> 32 << kCountAt;
    low_ = static_cast<u32>(n);
  }

  bool holds(const Key& key) const {
    if (key.length > Key::kNear) return view() == std::string_view(key.text, key.length);
    return !((short_length() ^ key.length) | ((word(0) ^ key.near[0]) & key.mask(0)) |
             ((word(1) ^ key.near[1]) & key.mask(1)) | ((word(2) ^ key.near[2]) & key.mask(2)));
  }
};
static_assert(sizeof(Entry) == 12);

}  // namespace specialize
