// SPDX-License-Identifier: MIT

#include "run/snapshot.h"

#include <link.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sim {
namespace {

struct Segment {
  const char* library;
  std::uintptr_t begin{0};
  std::uintptr_t end{0};
};

// The writable segment, without its head that is read-only after relocation.
int look_at(dl_phdr_info* info, std::size_t /*size*/, void* found_by) {
  auto& found = *static_cast<Segment*>(found_by);
  if (std::strstr(info->dlpi_name, found.library) == nullptr) return 0;
  std::uintptr_t protected_end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && (header.p_flags & PF_W) != 0) {
      found.begin = begin;
      found.end = begin + header.p_memsz;
    }
    if (header.p_type == PT_GNU_RELRO) protected_end = begin + header.p_memsz;
  }
  found.begin = std::max(found.begin, protected_end);
  return 1;
}

// Red zones between variables are part of the segment: the sanitizer must not look.
[[gnu::no_sanitize("address"), gnu::noinline]] void copy(char* to, const char* from,
                                                         std::size_t bytes) noexcept {
  auto* words_to = reinterpret_cast<volatile std::uint64_t*>(to);
  const auto* words_from = reinterpret_cast<const volatile std::uint64_t*>(from);
  for (std::size_t i = 0; i < bytes / 8; ++i) words_to[i] = words_from[i];
}

}  // namespace

Snapshot::Snapshot(const char* library) {
  Segment found{.library = library};
  dl_iterate_phdr(&look_at, &found);
  if (found.begin == found.end) {
    std::fprintf(stderr, "sim: %s is not loaded\n", library);
    std::exit(2);
  }
  found.begin = (found.begin + 7) / 8 * 8;
  begin_ = reinterpret_cast<char*>(found.begin);
  saved_.resize((found.end - found.begin) / 8 * 8);
  copy(saved_.data(), begin_, saved_.size());
}

void Snapshot::restore() const noexcept {
  copy(begin_, saved_.data(), saved_.size());
}

}  // namespace sim
