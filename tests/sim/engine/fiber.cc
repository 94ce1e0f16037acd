// SPDX-License-Identifier: MIT

#include "engine/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#ifndef __x86_64__
#error "the switch below is written for x86-64"
#endif

#ifdef __SANITIZE_ADDRESS__
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// Saves what the ABI makes the callee keep, exchanges stacks, and returns on the other one. A new
// stack holds the address of sim_fiber_start as its return address and the fiber in %rbx.
asm(R"(
	.text
	.p2align 4
	.type sim_fiber_swap, @function
sim_fiber_swap:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size sim_fiber_swap, . - sim_fiber_swap
	.p2align 4
	.type sim_fiber_start, @function
sim_fiber_start:
	movq %rbx, %rdi
	xorl %ebp, %ebp
	call sim_fiber_begin
	ud2
	.size sim_fiber_start, . - sim_fiber_start
)");

extern "C" {
void sim_fiber_swap(void** save, void* load) noexcept;
void sim_fiber_start() noexcept;
}

namespace sim {
namespace {

// Stacks are kept for the next fiber: a simulation makes a dozen of them per schedule. A page below
// each is unmapped.
class StackPool final {
 public:
  char* take() {
    if (!free_.empty()) {
      char* stack = free_.back();
      free_.pop_back();
      return stack;
    }
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* area = mmap(nullptr, Fiber::kStackBytes + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED || mprotect(area, page, PROT_NONE) != 0) {
      std::perror("sim: no memory for a stack");
      std::exit(2);
    }
    return static_cast<char*>(area) + page;
  }

  void give_back(char* stack) {
#ifdef SIM_ASAN
    // An abandoned fiber leaves the red zones of its frames behind.
    __asan_unpoison_memory_region(stack, Fiber::kStackBytes);
#endif
    free_.push_back(stack);
  }

 private:
  std::vector<char*> free_;
};

StackPool& stacks() {
  static StackPool& pool = *new StackPool;  // Outlives every fiber, static ones included.
  return pool;
}

// Whom the running fiber has been reached from: its bounds are learnt on arrival. F1 makes one
// variable enough.
Fiber* left;

}  // namespace

Fiber::Fiber(Entry entry, void* argument)
    : stack_{stacks().take()},
      bottom_{stack_},
      size_{kStackBytes},
      entry_{entry},
      argument_{argument} {
  // From the top down: two words that align, the return address, then the six registers that
  // sim_fiber_swap() restores.
  auto* slot = reinterpret_cast<std::uintptr_t*>(stack_ + kStackBytes);
  *--slot = 0;
  *--slot = 0;
  *--slot = reinterpret_cast<std::uintptr_t>(&sim_fiber_start);
  *--slot = 0;                                       // rbp
  *--slot = reinterpret_cast<std::uintptr_t>(this);  // rbx
  for (int i = 0; i < 4; ++i) *--slot = 0;           // r12 to r15
  stack_pointer_ = slot;
}

Fiber::~Fiber() {
  if (stack_ != nullptr) stacks().give_back(stack_);
}

void Fiber::swap(Fiber& next, bool for_good) noexcept {
  left = this;
#ifdef SIM_ASAN
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, next.bottom_, next.size_);
#else
  (void)for_good;
#endif
  sim_fiber_swap(&stack_pointer_, next.stack_pointer_);
  arrived(*this);
}

void Fiber::arrived(Fiber& self) noexcept {
#ifdef SIM_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(self.fake_stack_, &bottom, &size);
  if (left->bottom_ == nullptr) {  // The host's own stack: only the sanitizer knows its bounds.
    left->bottom_ = bottom;
    left->size_ = size;
  }
#else
  (void)self;
#endif
}

void Fiber::begin(Fiber* self) noexcept {
  arrived(*self);
  self->entry_(self->argument_);
  std::fputs("sim: a fiber returned from its entry\n", stderr);
  std::abort();
}

void Fiber::leave_for(Fiber& next) noexcept {
  swap(next, true);
  __builtin_trap();
}

}  // namespace sim
