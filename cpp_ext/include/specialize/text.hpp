// A text, in blocks or whole: counts its tokens, measures its lines.
#pragma once

#include "scan.hpp"

namespace specialize {

class Text {
 public:
  // Adds the next bytes of the text. An unfinished last line is kept for the next call, unless
  // ``whole``: the text, or one file of it, ends here.
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

  // Makes room for the types of ``n`` bytes that are to be fed, or of the first 256 MB of them.
  void expect(u64 n) { tokens.reserve(std::min(n, u64{1} << 28) / scanning::kType); }

  // Adds a token counted elsewhere.
  void add(std::string_view token, u64 count, u64 first) {
    tokens.add(token, count, first);
    read_ = std::max(read_, first + token.size() + 1);
  }

  // Adds the tokens of a text that follows this one.
  void merge(const Text& other, unsigned threads) {
    each_partition(threads, [&](std::size_t p, unsigned) {
      add_all(tokens.parts[p], other.tokens.parts[p], read_);
    });
    extent += other.extent;
    read_ += other.read_;
    checked_ = checked_ && other.checked_;
  }

  // Whether all tokens are UTF-8, checked once; tokens end at ASCII bytes, so no character is
  // split.
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

  // The tokens; throws std::invalid_argument if they are not UTF-8.
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

  std::string waiting_;  // the unfinished line
  u64 read_ = 0;
  bool checked_ = true;  // all tokens are UTF-8
};

}  // namespace specialize
