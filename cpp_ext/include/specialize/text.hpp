// A text as it comes, in blocks or whole: its tokens counted, its lines measured.
#pragma once

#include "sift.hpp"
#include "valid.hpp"

namespace specialize {

class Text {
 public:
  Text() = default;
  // Counts only what ``sieve`` keeps, and measures no line.
  explicit Text(const Sieve& sieve) : sieve_(sieve) {}

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
  }

  // Whether all of it is UTF-8; no character is cut, as tokens end at ASCII.
  bool valid(unsigned threads) const {
    std::atomic<bool> good = true;
    each_partition(threads, [&](std::size_t p, unsigned) {
      tokens.parts[p].each([&](const Entry& e) {
        if (!specialize::valid(e)) good = false;
      });
    });
    return good;
  }

  Table tokens;
  Extent extent;

 private:
  void count(const char* p, u64 n, unsigned threads) {
    const auto part = [&](u64 begin, u64 end, Table& to, Outlook& outlook) {
      if (!sieve_) return scan(p + begin, end - begin, read_ + begin, to, outlook);
      sift(p + begin, end - begin, read_ + begin, *sieve_, to, outlook);
      return Extent();
    };
    extent += in_threads(p, n, tokens, threads, part);
    read_ += n;
  }

  std::optional<Sieve> sieve_;
  std::string waiting_;  // the begun line
  u64 read_ = 0;
};

}  // namespace specialize
