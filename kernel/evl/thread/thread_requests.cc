// SPDX-License-Identifier: GPL-2.0
// Requests on the file of a thread. User memory is touched with no lock held, and may end the
// caller's stay on its stage: it comes first or last.
#include "element/element_file.h"
#include "sched/schedule.h"
#include "sched/stage.h"
#include "sync/monitor.h"
#include "thread/thread_element.h"

namespace evl {
namespace {

ThreadElement& element_of(void* object) noexcept {
  return ElementFile::element<ThreadElement>(object);
}

long inband_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  return code_of(element_of(object).inband_request(InbandStage::at_entry(), cmd, arg));
}

long oob_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  return code_of(element_of(object).oob_request(OobStage::at_entry(), cmd, arg));
}

Status change_params(Thread& thread, unsigned long arg) noexcept {
  const evl_sched_attrs attrs = EVL_TRY(UserPtr<evl_sched_attrs>{arg}.read());
  SchedParams present;
  {
    HardIrqGuard irqs_off;
    present = thread.base_params(irqs_off);
  }
  (void)EVL_TRY(thread.set_params(EVL_TRY(params_from(attrs, present))));
  schedule();
  return kOk;
}

Status change_mode(Thread& thread, unsigned long arg, bool set) noexcept {
  const UserPtr<u32> word{arg};
  const u32 bits = EVL_TRY(word.read());
  return word.write(EVL_TRY(set ? thread.set_mode(bits) : thread.clear_mode(bits)));
}

}  // namespace

const kapi_file_ops kThreadFileOps{
    .open = &ElementFile::open,
    .release = &ElementFile::release,
    .ioctl = &inband_ioctl,
    .oob_ioctl = &oob_ioctl,
};

// Both stages.
Status ThreadElement::common_request(unsigned cmd, unsigned long arg) noexcept {
  if (thread_.peek_state().has(ThreadState::zombie)) return Errno::stale;
  switch (cmd) {
    case EVL_THRIOC_SET_SCHEDPARAM:
      return change_params(thread_, arg);
    case EVL_THRIOC_GET_SCHEDPARAM: {
      SchedParams base;
      {
        HardIrqGuard irqs_off;
        base = thread_.base_params(irqs_off);
      }
      kapi_trace(KAPI_EV_thread_getsched, thread_.name(), static_cast<s64>(base.policy), base.prio);
      return UserPtr<evl_sched_attrs>{arg}.write(attrs_from(base));
    }
    case EVL_THRIOC_GET_STATE:
      return UserPtr<evl_thread_state>{arg}.write(snapshot());
    case EVL_THRIOC_SET_MODE:
      return change_mode(thread_, arg, true);
    case EVL_THRIOC_CLEAR_MODE:
      return change_mode(thread_, arg, false);
    case EVL_THRIOC_UNBLOCK:
    case EVL_THRIOC_DEMOTE: {
      {
        HardIrqGuard irqs_off;
        if (cmd == EVL_THRIOC_DEMOTE)
          thread_.demote(irqs_off);
        else
          thread_.unblock({}, irqs_off);
      }
      schedule();
      return kOk;
    }
    default:
      return Errno::notty;
  }
}

Status ThreadElement::oob_request(const OobStage& oob, unsigned cmd, unsigned long arg) noexcept {
  switch (cmd) {
    case EVL_THRIOC_SWITCH_OOB:  // The carrier of the request has done it.
      return is_self() ? kOk : Status{Errno::perm};
    case EVL_THRIOC_SWITCH_INBAND:
      if (!is_self()) return Errno::perm;
      (void)switch_inband(OobStage::at_entry(), SwitchCause::none);
      return kOk;
    case EVL_THRIOC_YIELD:
      if (!is_self()) return Errno::perm;
      Scheduler::yield(oob, thread_);
      return kOk;
    case EVL_THRIOC_SIGNAL: {
      if (thread_.peek_state().has(ThreadState::zombie)) return Errno::stale;
      const u32 event_fd = EVL_TRY(UserPtr<u32>{arg}.read());
      return signal_waiter(event_fd, thread_);
    }
    default:
      return common_request(cmd, arg);
  }
}

Status ThreadElement::undo(Element& element, unsigned cmd, const InbandStage& inband) noexcept {
  if (cmd != EVL_THRIOC_DETACH_SELF) return Errno::notty;
  return static_cast<ThreadElement&>(element).inband_request(inband, cmd, 0);
}

Status ThreadElement::inband_request(const InbandStage& inband, unsigned cmd,
                                     unsigned long arg) noexcept {
  switch (cmd) {
    case EVL_THRIOC_SWITCH_INBAND:
      return is_self() ? kOk : Status{Errno::perm};
    case EVL_THRIOC_JOIN:
      return join(inband);
    case EVL_THRIOC_DETACH_SELF:
      if (!is_self()) return Errno::perm;
      detach_current(inband);
      return kOk;
    default: {
      const Status status = common_request(cmd, arg);
      if (cmd == EVL_THRIOC_SET_SCHEDPARAM && is_self()) thread_.update_inband_priority(inband);
      if (is_self()) thread_.refresh_window();
      return status;
    }
  }
}

}  // namespace evl
