// SPDX-License-Identifier: MIT
// What a process shares with the core: the control device, the built-in clocks, the shared heap,
// the output proxies. Written once by evl_init(), before any thread of the process can be attached.
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

#include <errno.h>
#include <time.h>

#include <cstddef>
#include <cstdint>

#include "evl/types.h"

namespace evl {

struct Process {
  int control;
  int monotonic;
  int realtime;
  int output;
  int errors;
  std::byte* heap;
  size_t heap_size;
  __u32 fpu_features;

  [[nodiscard]] bool initialized() const noexcept { return heap != nullptr; }

  // The object of type T at an offset which the core gave, or nullptr: any process that is attached
  // can write to the heap, so an offset which was read there is checked like user input.
  template <typename T>
  [[nodiscard]] T* shared(__u32 offset) const noexcept {
    if (heap == nullptr || offset % alignof(T) != 0) return nullptr;
    if (heap_size < sizeof(T) || offset > heap_size - sizeof(T)) return nullptr;
    return reinterpret_cast<T*>(heap + offset);
  }

  // The descriptor of a clock: of a built-in one, or the argument itself. -ENXIO before evl_init().
  [[nodiscard]] int clock(int clockfd) const noexcept;
};

inline constexpr Process kNoProcess{-ENXIO, -ENXIO, -ENXIO, -EBADF, -EBADF, nullptr, 0, 0};

extern constinit Process process;

// Reads a clock by its POSIX number, through the vDSO if there is one. Zero or a negated errno.
using ReadClock = int (*)(clockid_t, timespec*);
extern constinit ReadClock read_posix_clock;

}  // namespace evl

#endif  // LIB_PROCESS_H
