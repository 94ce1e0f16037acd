// SPDX-License-Identifier: MIT
// Threads: attaching to the core, detaching, switching stages, states and modes.

#include "evl/thread.h"

#include <errno.h>
#include <stdarg.h>

#include "current.h"
#include "element.h"
#include "evl/evl.h"
#include "process.h"

namespace evl {
namespace {

static_assert(EPERM == 1, "evl_get_self() answers -1, which has to be -EPERM");

constexpr unsigned int kAttachFlags =
    EVL_CLONE_PUBLIC | EVL_CLONE_OBSERVABLE | EVL_CLONE_UNICAST | EVL_CLONE_NONBLOCK;

bool valid_attach_flags(int flags) noexcept {
  const auto bits = static_cast<unsigned int>(flags);
  if ((bits & ~kAttachFlags) != 0) return false;
  return (bits & EVL_CLONE_UNICAST) == 0 || (bits & EVL_CLONE_OBSERVABLE) != 0;
}

// What the in-band scheduling parameters of a thread become when it attaches. The policies of
// batch and idle work are in-band refinements of SCHED_OTHER.
int inherited_attributes(evl_sched_attrs* attributes) noexcept {
  int policy = 0;
  int priority = 0;
  if (const int status = kernel::get_scheduling(&policy, &priority); status < 0) return status;
  *attributes = {};
  if (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE) {
    attributes->sched_policy = SCHED_WEAK;
    return 0;
  }
  if (priority < EVL_FIFO_MIN_PRIO || priority > EVL_FIFO_MAX_PRIO) return -EINVAL;
  attributes->sched_policy = SCHED_FIFO;
  attributes->sched_priority = priority;
  return 0;
}

// Ends the attachment. On failure the thread is attached as before.
int detach() noexcept {
  const Current before = current;
  __u32 mode = EVL_T_WOSS;  // A detach switches in-band on purpose: nothing to report.
  (void)any_ioctl(before.efd, EVL_THRIOC_CLEAR_MODE, &mode);

  current.window = nullptr;  // The core gives it to somebody else.
  const int status = kernel::ioctl(before.efd, EVL_THRIOC_DETACH_SELF, nullptr);
  if (status < 0) {
    current = before;
    return status;
  }
  current = kNotAttached;
  kernel::close(before.efd);
  return 0;
}

int enter_oob(const Current& self) noexcept {
  if (!self.inband()) return 0;
  return kernel::oob_ioctl(self.efd, EVL_THRIOC_SWITCH_OOB, nullptr);
}

// Gives a thread which has just been made its policy, and the stage that goes with it.
int start(const evl_sched_attrs& attributes) noexcept {
  const int status = kernel::ioctl(current.efd, EVL_THRIOC_SET_SCHEDPARAM, &attributes);
  if (status < 0 || attributes.sched_policy == SCHED_WEAK) return status;
  return retry([] { return enter_oob(current); });
}

int change_mode(int efd, unsigned long request, int mask, int* oldmask) noexcept {
  __u32 mode = static_cast<__u32>(mask);
  const int status = any_ioctl(efd, request, &mode);
  if (status >= 0 && oldmask != nullptr) *oldmask = static_cast<int>(mode);
  return status;
}

}  // namespace
}  // namespace evl

using namespace evl;

EVL_API int evl_attach_thread(int flags, const char* fmt, ...) {
  if (const int status = evl_init(); status < 0) return status;
  if (current.attached()) return -EBUSY;
  if (!valid_attach_flags(flags)) return -EINVAL;

  evl_sched_attrs attributes{};
  if (const int status = inherited_attributes(&attributes); status < 0) return status;

  ElementName name;
  va_list arguments;
  va_start(arguments, fmt);
  const int named = name.expand(flags, fmt, arguments);
  va_end(arguments);
  if (named < 0) return named;

  evl_element_ids ids{};
  const int efd = create_element(EVL_THREAD_DEV, name, nullptr, &ids);
  if (efd < 0) return efd;
  current = {ids.fundle, efd, process.shared<evl_user_window>(ids.state_offset)};

  const int status = current.window == nullptr ? -ENOEXEC : start(attributes);
  if (status < 0) {
    detach();
    return status;
  }
  return efd;
}

EVL_API int evl_detach_thread(int flags) {
  if (flags != 0) return -EINVAL;
  if (!current.attached()) return -EPERM;
  return detach();
}

EVL_API int evl_detach_self() {
  return evl_detach_thread(0);
}

EVL_API int evl_get_self() {
  return current.efd;
}

EVL_API int evl_switch_oob() {
  return current.attached() ? enter_oob(current) : -EPERM;
}

EVL_API int evl_switch_inband() {
  if (!current.attached()) return -EPERM;
  if (current.inband()) return 0;
  // The in-band carrier: the core reports it to who asked for that, as any other system call.
  return kernel::ioctl(current.efd, EVL_THRIOC_SWITCH_INBAND, nullptr);
}

EVL_API bool evl_is_inband() {
  return current.inband();
}

EVL_API int evl_get_state(int efd, evl_thread_state* statebuf) {
  return any_ioctl(efd, EVL_THRIOC_GET_STATE, statebuf);
}

EVL_API int evl_unblock_thread(int efd) {
  return any_ioctl(efd, EVL_THRIOC_UNBLOCK, nullptr);
}

EVL_API int evl_demote_thread(int efd) {
  return any_ioctl(efd, EVL_THRIOC_DEMOTE, nullptr);
}

EVL_API int evl_set_thread_mode(int efd, int mask, int* oldmask) {
  return change_mode(efd, EVL_THRIOC_SET_MODE, mask, oldmask);
}

EVL_API int evl_clear_thread_mode(int efd, int mask, int* oldmask) {
  return change_mode(efd, EVL_THRIOC_CLEAR_MODE, mask, oldmask);
}
