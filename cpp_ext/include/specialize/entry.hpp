// A counted string: how often it occurs, and where first.
#pragma once

#include <new>
#include <stdexcept>

#include "key.hpp"

namespace specialize {

// Its string stands behind it in memory, and behind that zeros, up to Key::kNear bytes or, if it is
// longer, a multiple of eight.
class Entry {
 public:
  u64 count;       // 0: another has absorbed it
  u64 first : 48;  // place of the first occurrence

  u64 length() const { return is_long() ? word(0) : length_; }
  const char* text() const { return behind() + (is_long() ? 8 : 0); }
  std::string_view view() const { return {text(), length()}; }

  Key key() const {
    if (length_ > Key::kNear) return Key(view());
    return Key(Key::Readable{}, behind(), static_cast<u32>(length_));
  }

  // Counts the string ``n`` times more, if it is the one that stands here.
  bool add(const Key& key, u64 n, u64 at) {
    if (!holds(key)) return false;
    count += n;
    if (at < first) first = at;
    return true;
  }

  // Takes what another counts, and leaves it none, if it is of the same string.
  bool absorb(Entry& other) {
    if (view() != other.view()) return false;
    count += other.count;
    first = std::min<u64>(first, other.first);
    other.count = 0;
    return true;
  }

  // How many units of eight bytes one of this length takes.
  static u64 units(u64 length) {
    if (length <= Key::kNear) return kHead + Key::kNear / 8;
    return kHead + (length >= kLong) + (length + 7) / 8;
  }

  // Makes one of units(key.length) at ``to``.
  static void make(u64* to, const Key& key, u64 count, u64 first) {
    if (first >> 48) throw std::length_error("a text of 256 TB or more");
    Entry& e = *new (to) Entry;
    e.count = count;
    e.first = first;
    e.length_ = std::min<u64>(key.length, kLong);
    to += kHead;
    if (key.length <= Key::kNear) {
      std::memcpy(to, key.near, sizeof key.near);
      return;
    }
    if (e.is_long()) *to++ = key.length;
    to[(key.length - 1) / 8] = 0;
    std::memcpy(to, key.text, key.length);
  }

 private:
  static constexpr u64 kLong = 0xffff, kHead = 2;

  u64 length_ : 16;  // kLong: it stands before the string

  bool is_long() const { return length_ == kLong; }
  const char* behind() const { return reinterpret_cast<const char*>(this + 1); }
  u64 word(u32 i) const { return load64(behind() + 8 * i); }

  bool holds(const Key& key) const {
    if (key.length > Key::kNear) return view() == std::string_view(key.text, key.length);
    return !((length_ ^ key.length) | (word(0) ^ key.near[0]) | (word(1) ^ key.near[1]) |
             (word(2) ^ key.near[2]));
  }
};
static_assert(sizeof(Entry) == 16);

}  // namespace specialize
