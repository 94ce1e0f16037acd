// SPDX-License-Identifier: MIT
//
// kapi of the simulator: waiting and deferring in-band, memory, messages.

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "linux/dovetail.h"
#include "linux/linux.h"

namespace {

using sim::inside;
using sim::lx;

sim::Machine& mc() {
  return sim::Machine::current();
}

void* allocate(std::size_t bytes, const char* who) {
  lx().may_sleep(who);
  lx().maybe_preempt();
  const unsigned refuse = lx().config().refuse_percent;
  if (refuse != 0 && mc().strategy().rarely(refuse)) return nullptr;
  return lx().allocate(bytes);
}

// Of a stage that kapi says is in-band, in whatever irq state.
void must_be_inband(const char* who) {
  if (mc().cpu().oob) mc().fail("%s on the oob stage", who);
  if (!mc().cpu().held.empty()) mc().fail("%s with %s held", who, mc().cpu().held.back()->name);
}

}  // namespace

extern "C" {

bool kapi_may_dispose(void) {
  const sim::Cpu& cpu = mc().cpu();
  return !cpu.oob && !cpu.irqs_off && !cpu.stalled && !cpu.inband_irq &&
         lx().current().atomic == 0 && !lx().current().worker;
}

void kapi_mutex_init(struct kapi_mutex* mutex, struct kapi_lock_class* /*lock_class*/) {
  new (mutex) sim::Mutex{};
}
void kapi_mutex_lock(struct kapi_mutex* mutex) {
  lx().may_sleep("kapi_mutex_lock");
  mc().point({.what = "locks mutex", .object = mutex});
  sim::Mutex& state = inside<sim::Mutex>(mutex);
  if (state.owner == &lx().current()) mc().fail("an in-band mutex is taken twice");
  while (state.owner != nullptr) lx().sleep_on(mutex, false);
  state.owner = &lx().current();
}
void kapi_mutex_unlock(struct kapi_mutex* mutex) {
  sim::Mutex& state = inside<sim::Mutex>(mutex);
  if (state.owner != &lx().current()) mc().fail("an in-band mutex is released by another task");
  state.owner = nullptr;
  lx().wake(mutex);
  mc().changed();
  mc().point({.what = "unlocked mutex", .object = mutex});
}

void kapi_completion_init(struct kapi_completion* completion) {
  new (completion) sim::Completion{};
}
void kapi_complete(struct kapi_completion* completion) {
  must_be_inband("kapi_complete");
  mc().point({.what = "completes", .object = completion});
  ++inside<sim::Completion>(completion).done;
  lx().wake(completion);
}
void kapi_complete_all(struct kapi_completion* completion) {
  must_be_inband("kapi_complete_all");
  mc().point({.what = "completes all", .object = completion});
  inside<sim::Completion>(completion).for_all = true;
  lx().wake(completion);
}
static int wait_completion(struct kapi_completion* completion, bool interruptible) {
  lx().may_sleep("kapi_wait_completion");
  mc().point({.what = "waits for completion", .object = completion});
  for (;;) {
    sim::Completion& state = inside<sim::Completion>(completion);
    if (state.for_all) return 0;
    if (state.done > 0) {
      --state.done;
      return 0;
    }
    if (interruptible && lx().signal_pending()) return -sim::kRestartSys;
    lx().sleep_on(completion, interruptible);
  }
}
void kapi_wait_completion(struct kapi_completion* completion) {
  wait_completion(completion, false);
}
int kapi_wait_completion_interruptible(struct kapi_completion* completion) {
  return wait_completion(completion, true);
}

void kapi_waitq_init(struct kapi_waitq* queue) {
  std::memset(queue, 0, sizeof *queue);
}
void kapi_waitq_wake_all(struct kapi_waitq* queue) {
  must_be_inband("kapi_waitq_wake_all");
  mc().point({.what = "wakes all", .object = queue});
  lx().wake(queue);
}
// prepare_to_wait(), the condition, then schedule(): a wake-up between the two is not lost.
int kapi_waitq_wait(struct kapi_waitq* queue, bool (*ready)(void* arg), void* arg) {
  lx().may_sleep("kapi_waitq_wait");
  sim::Task& self = lx().current();
  for (;;) {
    self.channel = queue;
    self.interruptible = true;
    self.run = sim::Run::sleeping;
    const bool done = ready(arg);
    if (done || lx().signal_pending()) {
      self.run = sim::Run::runnable;
      self.channel = nullptr;
      return done ? 0 : -sim::kRestartSys;
    }
    lx().schedule();
  }
}

void kapi_poll_wait(struct kapi_file* /*file*/, struct kapi_waitq* /*queue*/,
                    struct kapi_poll_table* /*table*/) {}
unsigned int kapi_poll_forward(struct kapi_file* /*file*/, struct kapi_poll_table* /*table*/) {
  return 0;
}

struct kapi_workqueue* kapi_workqueue_create(const char* name, unsigned int at_once) {
  return lx().create_workqueue(name, at_once);
}
void kapi_workqueue_destroy(struct kapi_workqueue* queue) {
  lx().destroy_workqueue(queue);
}
void kapi_work_init(struct kapi_work* work, void (*handler)(struct kapi_work* work)) {
  new (work) sim::Work{.handler = handler};
}
bool kapi_work_queue(struct kapi_workqueue* queue, struct kapi_work* work) {
  must_be_inband("kapi_work_queue");
  return lx().queue_work(queue, work);
}
void kapi_work_flush(struct kapi_work* work) {
  lx().flush_work(work);
}

// ---- Memory

void* kapi_alloc(size_t bytes) {
  return allocate(bytes, "kapi_alloc");
}
void* kapi_alloc_nowait(size_t bytes) {
  must_be_inband("kapi_alloc_nowait");
  return lx().allocate(bytes);  // Refused, a descriptor is in-band only: no program goes on then.
}
void kapi_free(void* block) {
  if (block == nullptr) return;
  must_be_inband("kapi_free");
  lx().release(block);
}
void* kapi_alloc_virtual(size_t bytes) {
  return allocate(bytes, "kapi_alloc_virtual");
}
void kapi_free_virtual(void* block) {
  kapi_free(block);
}
void* kapi_alloc_shared(size_t bytes) {
  return allocate(bytes, "kapi_alloc_shared");
}
void kapi_free_shared(void* block, size_t /*bytes*/) {
  kapi_free(block);
}

// The simulated address space is the host's: a mapping is the block itself.
int kapi_map_shared(struct kapi_vma* vma, void* block, size_t bytes) {
  sim::Mapping& mapping = *reinterpret_cast<sim::Mapping*>(vma);
  if (mapping.bytes != bytes) return -EINVAL;
  mapping.address = block;
  return 0;
}
int kapi_map_forward(struct kapi_vma* /*vma*/, struct kapi_file* /*file*/) {
  return -ENODEV;
}
size_t kapi_page_size(void) {
  return 4096;
}

int kapi_copy_from_user(void* dst, const void* user_src, size_t bytes) {
  if (!lx().touch_user(user_src, bytes)) return -EFAULT;
  std::memcpy(dst, user_src, bytes);
  return 0;
}
int kapi_copy_to_user(void* user_dst, const void* src, size_t bytes) {
  if (!lx().touch_user(user_dst, bytes)) return -EFAULT;
  std::memcpy(user_dst, src, bytes);
  return 0;
}
int kapi_copy_name_from_user(char* dst, const void* user_src, size_t capacity) {
  lx().may_sleep("kapi_copy_name_from_user");
  if (!lx().touch_user(user_src, 1)) return -EFAULT;
  const std::size_t length = std::strlen(static_cast<const char*>(user_src));
  if (length == 0) return -EINVAL;
  if (length + 1 > capacity) return -ENAMETOOLONG;
  std::memcpy(dst, user_src, length + 1);
  return static_cast<int>(length);
}

// ---- Messages

void kapi_print(enum kapi_severity severity, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lx().print(static_cast<int>(severity), text);
}
void kapi_print_ratelimited(enum kapi_severity severity, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lx().print(static_cast<int>(severity), text);
}
long kapi_format(char* buf, size_t capacity, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int wanted = std::vsnprintf(buf, capacity, format, arguments);
  va_end(arguments);
  if (wanted < 0 || capacity == 0) return 0;
  return static_cast<std::size_t>(wanted) < capacity ? wanted : static_cast<long>(capacity) - 1;
}

void kapi_bug(const char* expression, const char* file, int line) {
  if (!sim::Machine::exists()) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, expression);
    std::abort();
  }
  mc().fail("assertion failed: %s, %s:%d", expression, file, line);
}
void kapi_warn(const char* what, const char* file, int line) {
  mc().fail("warning: %s, %s:%d", what, file, line);
}

}  // extern "C"
