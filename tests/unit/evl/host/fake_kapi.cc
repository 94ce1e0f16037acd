// SPDX-License-Identifier: MIT
// See fake_kapi.h. A broken rule aborts, as an assertion of the core does: death tests see both.
#include "fake_kapi.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <linux/errno.h>

#include "kapi/kapi.h"

namespace fake {
namespace {
State the_state;

struct Lock {
  kapi_lock_class* lock_class;
  bool held;
};
Lock& lock_of(kapi_hard_spinlock* lock) {
  return *reinterpret_cast<Lock*>(lock->opaque);
}
const Lock& lock_of(const kapi_hard_spinlock* lock) {
  return *reinterpret_cast<const Lock*>(lock->opaque);
}
void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fake kapi: %s\n", what);
  std::abort();
}
}  // namespace

State& state() {
  return the_state;
}
}  // namespace fake

void kapi_bug(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

unsigned long kapi_hard_irq_save() {
  return std::exchange(fake::state().irqs_off, true) ? 1 : 0;
}
void kapi_hard_irq_restore(unsigned long flags) {
  fake::state().irqs_off = flags != 0;
}
bool kapi_hard_irqs_disabled() {
  return fake::state().irqs_off;
}
bool kapi_running_oob() {
  return fake::state().oob;
}
unsigned int kapi_this_cpu() {
  return fake::state().cpu;
}

void kapi_hard_spin_init(kapi_hard_spinlock* lock, kapi_lock_class* lock_class) {
  static_assert(sizeof(fake::Lock) <= sizeof(kapi_hard_spinlock));
  new (lock->opaque) fake::Lock{lock_class, false};
}
void kapi_hard_spin_lock(kapi_hard_spinlock* lock) {
  fake::demand(fake::state().irqs_off, "lock with irqs on");
  fake::demand(!fake::lock_of(lock).held, "lock taken twice");
  fake::lock_of(lock).held = true;
  ++fake::state().locks_held;
}
void kapi_hard_spin_lock_nested(kapi_hard_spinlock* lock) {
  kapi_hard_spin_lock(lock);
}
bool kapi_hard_spin_trylock(kapi_hard_spinlock* lock) {
  if (fake::lock_of(lock).held) return false;
  kapi_hard_spin_lock(lock);
  return true;
}
void kapi_hard_spin_unlock(kapi_hard_spinlock* lock) {
  fake::demand(fake::lock_of(lock).held, "unlock of a free lock");
  fake::lock_of(lock).held = false;
  --fake::state().locks_held;
}
bool kapi_hard_spin_held(const kapi_hard_spinlock* lock) {
  return fake::lock_of(lock).held;
}

void kapi_mutex_init(kapi_mutex*, kapi_lock_class*) {}
void kapi_mutex_lock(kapi_mutex*) {
  fake::demand(!fake::state().irqs_off, "mutex with irqs off");
}
void kapi_mutex_unlock(kapi_mutex*) {}

void* kapi_alloc(size_t bytes) {
  fake::demand(!fake::state().oob, "allocation on the oob stage");
  if (fake::state().allocations_until_refusal == 0) return nullptr;
  if (fake::state().allocations_until_refusal > 0) --fake::state().allocations_until_refusal;
  const size_t rounded = (bytes + KAPI_CACHE_LINE - 1) / KAPI_CACHE_LINE * KAPI_CACHE_LINE;
  return std::memset(std::aligned_alloc(KAPI_CACHE_LINE, rounded), 0, rounded);
}
void kapi_free(void* block) {
  std::free(block);
}

// "User memory" is what lies above the first page.
int kapi_copy_from_user(void* dst, const void* user_src, size_t bytes) {
  if (reinterpret_cast<unsigned long>(user_src) < 4096) return -EFAULT;
  std::memcpy(dst, user_src, bytes);
  return 0;
}
int kapi_copy_to_user(void* user_dst, const void* src, size_t bytes) {
  if (reinterpret_cast<unsigned long>(user_dst) < 4096) return -EFAULT;
  std::memcpy(user_dst, src, bytes);
  return 0;
}
