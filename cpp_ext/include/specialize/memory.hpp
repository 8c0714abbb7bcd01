// Memory for what may be large.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#define SPECIALIZE_MAPS
#endif

namespace specialize {

// subtle: what is large comes from the kernel itself. An allocator that several threads use gives
// some back to it on the way, and then pages are made anew, which takes longer than what is done
// in them.
class Memory {
 public:
  // ``zeros``: all of it is 0, and looked at before it is written to. subtle: its pages are made at
  // once then; else they are made twice, to be read and to be written, and for that the other
  // threads are stopped.
  Memory(std::size_t bytes, bool zeros) : bytes_(bytes) {
    at_ = is_mapped() ? mapped(bytes, zeros) : std::malloc(bytes);
    if (!at_) throw std::bad_alloc();
    if (zeros && !is_mapped()) std::memset(at_, 0, bytes);
  }
  Memory(Memory&& o) noexcept : at_(std::exchange(o.at_, nullptr)), bytes_(o.bytes_) {}
  Memory& operator=(Memory&& o) noexcept {
    std::swap(at_, o.at_);
    std::swap(bytes_, o.bytes_);
    return *this;
  }
  ~Memory() {
    if (at_) is_mapped() ? unmap(at_, bytes_) : std::free(at_);
  }

  char* get() const { return static_cast<char*>(at_); }
  std::size_t bytes() const { return bytes_; }

 private:
  void* at_;
  std::size_t bytes_;

#ifdef SPECIALIZE_MAPS
  bool is_mapped() const { return bytes_ >= std::size_t{1} << 17; }
  static void* mapped(std::size_t bytes, [[maybe_unused]] bool now) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_POPULATE
    if (now) flags |= MAP_POPULATE;
#endif
    void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    return at == MAP_FAILED ? nullptr : at;
  }
  static void unmap(void* at, std::size_t bytes) { munmap(at, bytes); }
#else
  bool is_mapped() const { return false; }
  static void* mapped(std::size_t, bool) { return nullptr; }
  static void unmap(void*, std::size_t) {}
#endif
};

}  // namespace specialize
