// A text as it comes, in blocks or whole: its tokens counted, its lines measured.
#pragma once

#include "scan.hpp"

namespace specialize {

class Text {
 public:
  // Takes the next bytes of the text. A last line without an end waits for more, unless ``whole``:
  // then the text, or one file of it, ends here.
  void feed(const char* p, u64 n, bool whole, unsigned threads) {
    if (!waiting_.empty()) {
      const void* end = n ? std::memchr(p, '\n', n) : nullptr;
      const u64 head = end ? static_cast<u64>(static_cast<const char*>(end) - p) + 1 : n;
      waiting_.append(p, head);
      p += head;
      n -= head;
      if (!end && !whole) return;
      count(waiting_.data(), waiting_.size(), 1);
      waiting_.clear();
    }
    u64 ready = n;
    while (!whole && ready > 0 && p[ready - 1] != '\n') --ready;
    count(p, ready, threads);
    waiting_.assign(p + ready, n - ready);
  }

  // Takes a token that was counted elsewhere.
  void add(std::string_view token, u64 count, u64 first) {
    tokens.add(token, count, first);
    read_ = std::max(read_, first + token.size() + 1);
  }

  // Takes the tokens of a text that comes behind this one.
  void merge(const Text& other, unsigned threads) {
    each_partition(threads, [&](std::size_t p, unsigned) {
      add_all(tokens.parts[p], other.tokens.parts[p], read_);
    });
    extent += other.extent;
    read_ += other.read_;
    checked_ = checked_ && other.checked_;
  }

  // Whether all tokens are UTF-8, which is checked once; tokens end at ASCII, so none cuts a
  // character.
  bool valid(unsigned threads) {
    if (checked_) return true;
    std::atomic<bool> good = true;
    each_partition(threads, [&](std::size_t p, unsigned) {
      tokens.parts[p].each([&](const Entry& e) {
        if (!specialize::valid(e.view())) good = false;
      });
    });
    return checked_ = good;
  }

  // The tokens, as all but counting needs them; throws std::invalid_argument if they are not UTF-8.
  const Table& sound(unsigned threads) {
    if (!valid(threads)) throw std::invalid_argument("expected UTF-8");
    return tokens;
  }

  Table tokens;
  Extent extent;

 private:
  void count(const char* p, u64 n, unsigned threads) {
    extent += scan(p, n, read_, tokens, threads);
    read_ += n;
    checked_ = checked_ && !n;
  }

  std::string waiting_;  // the begun line
  u64 read_ = 0;
  bool checked_ = true;  // all tokens are UTF-8
};

}  // namespace specialize
