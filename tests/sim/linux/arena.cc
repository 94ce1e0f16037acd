// SPDX-License-Identifier: MIT

#include "linux/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace sim {
namespace {

constexpr std::size_t kAlign = 64;

// One area for all runs of the process: at most one arena exists at a time.
char* area() {
  static char* const base = [] {
    void* found = mmap(nullptr, Arena::kBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) {
      std::perror("sim: no memory for the arena");
      std::exit(2);
    }
    ASAN_POISON_MEMORY_REGION(found, Arena::kBytes);
    return static_cast<char*>(found);
  }();
  return base;
}

std::size_t rounded(std::size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

Arena::Arena() {
  blocks_.reserve(256);
}

Arena::~Arena() {
  ASAN_POISON_MEMORY_REGION(area(), next_);
}

// A poisoned line stands between two blocks.
void* Arena::allocate(std::size_t bytes) {
  const std::size_t size = std::max<std::size_t>(bytes, 1);
  if (kBytes - next_ < rounded(size) + kAlign) return nullptr;
  char* block = area() + next_;
  ASAN_UNPOISON_MEMORY_REGION(block, size);
  std::memset(block, 0, size);
  blocks_.push_back({.offset = next_, .bytes = size, .used = true});
  next_ += rounded(size) + kAlign;
  ++used_;
  return block;
}

bool Arena::release(void* block) {
  if (!contains(block)) return false;
  const auto offset = static_cast<std::size_t>(static_cast<char*>(block) - area());
  const auto found =
      std::lower_bound(blocks_.begin(), blocks_.end(), offset,
                       [](const Block& one, std::size_t at) { return one.offset < at; });
  if (found == blocks_.end() || found->offset != offset || !found->used) return false;
  std::memset(block, 0xa5, found->bytes);  // Seen without a sanitizer, too.
  found->used = false;
  --used_;
  ASAN_POISON_MEMORY_REGION(block, found->bytes);
  return true;
}

bool Arena::contains(const void* address) const noexcept {
  const auto* byte = static_cast<const char*>(address);
  return byte >= area() && byte < area() + kBytes;
}

}  // namespace sim
