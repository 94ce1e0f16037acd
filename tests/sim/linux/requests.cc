// SPDX-License-Identifier: MIT
//
// Between user mode and the kernel: requests and system calls, faults, and what is looked at on the
// way back.

#include "linux/linux.h"

namespace sim {

long Linux::request(kapi_request& request) {
  return serve(request, nullptr);
}

long Linux::call(long nr, const std::function<long()>& body) {
  kapi_request request{};
  request.nr = nr;
  return serve(request, &body);
}

long Linux::serve(kapi_request& request, const std::function<long()>* body) {
  Task& self = current();
  const bool caller_oob = self.oob;
  bool passed = true;
  machine_->point({.what = request.is_oob_call ? "requests" : "calls Linux",
                   .value = static_cast<unsigned>(request.nr)});
  if (self.dovetailed || request.is_oob_call) {
    machine_->cpu().oob = true;  // The first probe runs on the oob stage, wherever the caller was.
    ++self.in_core;
    passed = evl_on_oob_request(&request, caller_oob) == KAPI_PASS_DOWN;
    machine_->cpu().oob = self.oob;
    if (machine_->cpu().irqs_off) machine_->fail("a request returns with hard interrupts off");
    if (passed && !self.oob) passed = evl_on_inband_request(&request) == KAPI_PASS_DOWN;
    --self.in_core;
    if (machine_->cpu().irqs_off) machine_->fail("a request returns with hard interrupts off");
  }
  if (passed) {
    request.has_result = true;
    request.result = request.is_oob_call || self.oob ? -ENOSYS : 0;
    if (!request.is_oob_call && !self.oob && request.nr == 60) exit_current();
    if (body != nullptr && !self.oob) request.result = (*body)();
  }
  exit_to_user();
  // A handler without SA_RESTART: what was interrupted is not repeated.
  if (request.has_result && request.result == -kRestartSys) request.result = -EINTR;
  return request.has_result ? request.result : 0;
}

// Bound: each turn serves one cause, and none of them raises itself again.
void Linux::exit_to_user() {
  Task& self = current();
  for (unsigned turns = 0;; ++turns) {
    if (turns > 100) machine_->fail("%s does not get back to user mode", self.comm.data());
    if (self.oob != machine_->cpu().oob)
      machine_->fail("%s returns to user mode on the wrong stage", self.comm.data());
    if (self.oob) {
      if (!self.mayday) return;
      self.mayday = false;
      machine_->note("mayday");
      ++self.in_core;
      evl_on_mayday();
      --self.in_core;
    } else if (self.signals != 0) {
      serve_signals();
    } else if (self.retuser) {
      self.retuser = false;
      machine_->note("return to user");
      ++self.in_core;
      evl_on_retuser();
      --self.in_core;
    } else {
      return;
    }
  }
}

// An interrupt that hits user mode returns through the same checks as a request does.
void Linux::user_point(const char* what, const void* object, Access access) {
  machine_->point({.what = what, .object = object, .access = access});
  exit_to_user();
  maybe_preempt();
}

bool Linux::touch_user(const void* address, std::size_t bytes) {
  constexpr std::uintptr_t kFirstPage = 4096;
  const auto first = reinterpret_cast<std::uintptr_t>(address);
  const bool valid = bytes == 0 || first >= kFirstPage;
  machine_->point({.what = "touches user memory"});
  if (!machine_->cpu().held.empty())
    machine_->fail("user memory is touched with %s held", machine_->cpu().held.back()->name);
  if (machine_->cpu().irqs_off) machine_->fail("user memory is touched with hard interrupts off");
  if (!valid || (config_.fault_percent != 0 && machine_->strategy().rarely(config_.fault_percent)))
    fault_in(address, false);
  return valid;
}

// Page fault. Dovetail takes an oob thread in-band first, and back afterwards.
void Linux::fault_in(const void* address, bool from_user) {
  Task& self = current();
  const kapi_trap trap{.nr = 14,
                       .from_user = from_user,
                       .debugger = false,
                       .pc = reinterpret_cast<std::uintptr_t>(address)};
  const bool was_oob = self.oob;
  machine_->note("page fault", nullptr, trap.pc);
  if (was_oob) {
    machine_->irqs_disable();
    ++self.in_core;
    evl_on_trap_entry(&trap);
    --self.in_core;
    if (machine_->cpu().oob || machine_->cpu().irqs_off)
      machine_->fail("evl_on_trap_entry() does not return in-band with interrupts on");
  }
  maybe_preempt();
  if (was_oob) {
    machine_->irqs_disable();
    ++self.in_core;
    evl_on_trap_exit(&trap);
    --self.in_core;
    if (!machine_->cpu().irqs_off)
      machine_->fail("evl_on_trap_exit() returns with hard interrupts on");
    machine_->irqs_enable();
  }
}

}  // namespace sim
