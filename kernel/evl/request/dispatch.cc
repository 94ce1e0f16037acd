// SPDX-License-Identifier: GPL-2.0
// The two probes of Dovetail and what is between them: see the header, and "How a request travels"
// in Documentation/library/abi.md.
#include "request/dispatch.h"

#include "boot/core.h"
#include "sync/pi.h"
#include "thread/hm.h"

namespace evl {
namespace {

kapi_verdict conclude(kapi_request& request, long result) noexcept {
  request.has_result = true;
  request.result = result;
  return KAPI_HANDLED;
}

[[nodiscard]] bool is_known(const kapi_request& request) noexcept {
  return request.nr >= 0 && request.nr < NR_EVL_SYSCALLS;
}

kapi_verdict serve(Thread& self, kapi_request& request) noexcept {
  kapi_trace(KAPI_EV_oob_sysentry, self.name(), request.nr, 0);
  // A ceiling that is announced counts before the thread is linked anywhere: after that, the change
  // would have to be carried on. Only the thread itself announces, between requests.
  if (self.announces_ceiling()) {
    {
      HardIrqGuard irqs_off;
      commit_ceiling(self, irqs_off);
    }
    schedule();  // It may have marked this CPU.
  }
  (void)conclude(request, run_request(OobStage::at_entry(), self, request));
  leave_request(self, request);
  kapi_trace(KAPI_EV_oob_sysexit, self.name(), request.result, 0);
  return KAPI_HANDLED;
}

// The reference of run_request(), unless the handler gave it back.
class RequestFile final : Immovable {
 public:
  RequestFile(Thread& self, OobFile* file) noexcept : self_{self}, serving_{self, file} {}
  ~RequestFile() { drop_request_file(self_); }

 private:
  Thread& self_;
  const Thread::Serving serving_;
};

}  // namespace

void drop_request_file(Thread& self) noexcept {
  OobFile* const file = self.end_serving();
  if (file != nullptr) file->put();
}

kapi_verdict probe_oob(kapi_request& request, bool caller_oob) noexcept {
  if (!caller_oob) return KAPI_PASS_DOWN;
  Thread& self = *current_thread();  // Who is oob is attached.
  if (request.is_oob_call)
    return is_known(request) ? serve(self, request) : conclude(request, -ENOSYS);
  // A system call of Linux. The register keeps its number: the in-band handler runs it.
  (void)switch_inband(OobStage::at_entry(), SwitchCause::syscall, static_cast<u64>(request.nr));
  return KAPI_PASS_DOWN;
}

kapi_verdict probe_inband(kapi_request& request) noexcept {
  Thread* const self = current_thread();
  if (!request.is_oob_call) {
    if (self == nullptr) return KAPI_PASS_DOWN;
    kapi_trace(KAPI_EV_inband_sysentry, self->name(), request.nr, 0);
    const InbandStage inband = InbandStage::at_entry();
    self->test_cancel(inband);
    self->update_inband_priority(inband);
    return KAPI_PASS_DOWN;
  }
  if (self == nullptr || !kapi_capable(KAPI_CAP_SYS_NICE)) return conclude(request, -EPERM);
  if (!is_known(request)) return conclude(request, -ENOSYS);
  const Status moved = switch_oob(InbandStage::at_entry());
  if (!moved.ok()) return conclude(request, code_of(moved));
  return serve(*self, request);
}

long run_request(const OobStage&, Thread& self, const kapi_request& request) noexcept {
  OobFile* const file = core().files().get(static_cast<unsigned>(request.args[0]));
  if (file == nullptr) return -EBADF;
  const RequestFile reference{self, file};
  void* const buffer = reinterpret_cast<void*>(request.args[1]);
  switch (request.nr) {
    case sys_evl_read:
      return kapi_oob_read(file->file(), buffer, request.args[2]);
    case sys_evl_write:
      return kapi_oob_write(file->file(), buffer, request.args[2]);
    default:
      return kapi_oob_ioctl(file->file(), static_cast<unsigned>(request.args[1]), request.args[2]);
  }
}

// A handler that touched user memory may have left the thread in-band.
void leave_request(Thread& self, kapi_request& request) noexcept {
  const bool signalled = kapi_signal_pending();
  // Only what had no effect is done again (abi.md): handlers say EINTR for nothing else.
  if (signalled && request.result == -EINTR && !self.local().has(LocalInfo::norst))
    request.result = -static_cast<long>(Errno::restartsys);
  self.clear_local(LocalInfo::norst);
  if (kapi_running_oob()) {
    if (signalled || self.is_kicked()) {
      const InbandStage inband =
          switch_inband(OobStage::at_entry(), signalled ? SwitchCause::signal : SwitchCause::none);
      self.test_cancel(inband);
    } else if (self.peek_state().has(ThreadState::weak) && !self.holds_mutex()) {
      (void)switch_inband(OobStage::at_entry(), SwitchCause::none);
    }
  }
  // Linux restarts a call on its own way to user mode only.
  EVL_ASSERT(request.result != -static_cast<long>(Errno::restartsys) || !kapi_running_oob());
  self.stats().requests.add();
  self.refresh_window();
}

}  // namespace evl
