// SPDX-License-Identifier: MIT
//
// What is inside the opaque objects that the core embeds.

#pragma once

#include <new>

#include "linux/task.h"

namespace sim {

struct Altsched {
  Task* task{nullptr};  // Of a root: the in-band task that was preempted last.
  bool root{false};
};

struct IrqWork {
  void (*handler)(kapi_irq_work*){nullptr};
  bool queued{false};
  bool running{false};
};

struct Work {
  void (*handler)(kapi_work*){nullptr};
  bool queued{false};
  void* queue{nullptr};  // The last one; its worker knows whether it runs.
};

struct Completion {
  unsigned done{0};
  bool for_all{false};
};

struct Mutex {
  Task* owner{nullptr};
};

template <typename Inside, typename Opaque>
Inside& inside(Opaque* opaque) {
  static_assert(sizeof(Inside) <= sizeof(Opaque) && alignof(Inside) <= alignof(Opaque));
  return *reinterpret_cast<Inside*>(opaque);
}

inline Altsched& altsched_of(kapi_altsched* context) {
  return inside<Altsched>(context);
}

}  // namespace sim
