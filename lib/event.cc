// SPDX-License-Identifier: MIT
// Events: the user-space half of condition variables.
//
// A signal is a few bits in the shared heap, raised by the owner of the mutex; the core acts on
// them when that mutex is released. Signalling an event for which nobody waits is no request.

#include "evl/event.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>

#include "cancel.h"
#include "gate.h"
#include "monitor.h"
#include "process.h"
#include "timespec.h"

namespace evl {
namespace {

constexpr unsigned int kActiveMagic = 0xab77ab77;
constexpr unsigned int kEventFlags = EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK;

int create(evl_event* event, int clockfd, int flags, const char* format,
           va_list arguments) noexcept {
  if ((static_cast<unsigned int>(flags) & ~kEventFlags) != 0) return -EINVAL;
  Monitor made{};
  const int efd = create_monitor({EVL_MONITOR_EVENT, EVL_EVENT_GATED}, clockfd, 0, flags, format,
                                 arguments, &made);
  if (efd < 0) return efd;
  event->u.active = {made.fundle, made.state, made.efd};
  set_magic(event->magic, kActiveMagic);
  return efd;
}

int create_named(evl_event* event, int clockfd, int flags, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  const int efd = create(event, clockfd, flags, format, arguments);
  va_end(arguments);
  return efd;
}

int complete(evl_event* event) noexcept {
  CompletionLock lock;
  const unsigned int magic = magic_of(event->magic);
  if (magic == kActiveMagic) return 0;  // Another thread was faster.
  if (magic != __EVENT_UNINIT_MAGIC) return -EINVAL;
  const auto& wanted = event->u.uninit;
  const int efd = create_named(event, wanted.clockfd, wanted.flags, "%s", wanted.name);
  return efd < 0 ? efd : 0;
}

int ensure_active(evl_event* event) noexcept {
  return magic_of(event->magic) == kActiveMagic ? 0 : complete(event);
}

// The gate of the threads that wait on an event, or nullptr: nobody waits.
evl_monitor_state* gate_of_waiters(evl_event* event) noexcept {
  const SharedWord word{event->u.active.state->u.event.gate_offset};
  const __u32 offset = word.load(std::memory_order_acquire);
  return offset == EVL_MONITOR_NOGATE ? nullptr : process.shared<evl_monitor_state>(offset);
}

int raise(evl_event* event, __u32 kinds) noexcept {
  if (!current.attached()) return -EPERM;
  if (const int status = ensure_active(event); status < 0) return status;
  if (evl_monitor_state* const gate = gate_of_waiters(event); gate != nullptr) {
    raise_flags(*event->u.active.state, kinds);
    raise_flags(*gate, EVL_MONITOR_SIGNALED);
  }
  return 0;
}

// One wait on an event, and the way back to the gate.
class EventWait final {
 public:
  EventWait(evl_event* event, evl_mutex* mutex, const timespec& timeout) noexcept
      : event_{event->u.active.efd},
        gate_{mutex->u.active.efd},
        state_{*mutex->u.active.state},
        nesting_{state_.u.gate.nesting},
        date_{to_core(timeout)} {}

  [[nodiscard]] int run() noexcept {
    for (;;) {  // A round for each signal that comes before the wait has begun.
      evl_monitor_waitreq request{};
      const int result = sleep(&request);
      if (result >= 0) return back(request.status);
      if (result == -EIDRM) return request.status;  // Without the gate.
      if (result != -EINTR) return result;          // The wait did not begin.
      if (request.status == kNotBegun) continue;  // Nor here, for a signal: the gate is ours still.
      if (const int entered = reenter(); entered < 0) return entered;
      // Woken, then interrupted on the way back; or nothing came but a signal of POSIX. Nobody
      // waited since the gate was given up, so the condition may have come true unnoticed: the
      // caller looks.
      return back(request.status == -EAGAIN ? 0 : request.status);
    }
  }

 private:
  // What the status says until the core has given up the gate; no outcome of a wait.
  static constexpr int kNotBegun = -EINVAL;

  // The C library's cleanup, not a destructor: there is no unwinding through code without
  // exceptions. Who is cancelled in here owns the mutex again when its own cleanups run.
  [[nodiscard]] int sleep(evl_monitor_waitreq* request) noexcept {
    request->timeout_ptr = reinterpret_cast<__u64>(&date_);
    request->gatefd = gate_;
    request->status = kNotBegun;
    int result = 0;
    pthread_cleanup_push([](void* self) { (void)static_cast<EventWait*>(self)->reenter(); }, this);
    {
      CancelRegion region;
      result = kernel::oob_ioctl(event_, EVL_MONIOC_WAIT, request);
    }
    pthread_cleanup_pop(0);
    return result;
  }

  [[nodiscard]] int reenter() noexcept {
    evl_monitor_unwaitreq request{.gatefd = gate_};
    const int status =
        retry([&] { return kernel::oob_ioctl(event_, EVL_MONIOC_UNWAIT, &request); });
    if (status >= 0) restore_nesting();
    return status;
  }

  [[nodiscard]] int back(int status) noexcept {
    restore_nesting();
    return status;
  }

  // The gate was given up as a whole, and others have counted in its word since.
  void restore_nesting() noexcept { state_.u.gate.nesting = nesting_ & 0x7fffffff; }

  const int event_;
  const int gate_;
  evl_monitor_state& state_;
  const unsigned int nesting_;
  const __evl_timespec date_;
};

int wait(evl_event* event, evl_mutex* mutex, const timespec& timeout) noexcept {
  if (!current.attached()) return -EPERM;
  if (const int status = ensure_active(event); status < 0) return status;
  if (magic_of(mutex->magic) != kActiveMutexMagic) return -EINVAL;
  return EventWait{event, mutex, timeout}.run();
}

}  // namespace
}  // namespace evl

using namespace evl;

EVL_API int evl_create_event(evl_event* evt, int clockfd, int flags, const char* fmt, ...) {
  va_list arguments;
  va_start(arguments, fmt);
  const int efd = create(evt, clockfd, flags, fmt, arguments);
  va_end(arguments);
  return efd;
}

EVL_API int evl_open_event(evl_event* evt, const char* fmt, ...) {
  Monitor opened{};
  unsigned int protocol = 0;
  va_list arguments;
  va_start(arguments, fmt);
  const int efd = open_monitor(EVL_MONITOR_EVENT, fmt, arguments, &opened, &protocol);
  va_end(arguments);
  if (efd < 0) return efd;
  if (protocol != EVL_EVENT_GATED) {
    kernel::close(efd);
    return -EINVAL;
  }
  evt->u.active = {opened.fundle, opened.state, opened.efd};
  set_magic(evt->magic, kActiveMagic);
  return 0;  // Not the descriptor: existing applications test for zero.
}

EVL_API int evl_wait_event(evl_event* evt, evl_mutex* mutex) {
  return wait(evt, mutex, {});
}

EVL_API int evl_timedwait_event(evl_event* evt, evl_mutex* mutex, const timespec* timeout) {
  return wait(evt, mutex, *timeout);
}

EVL_API int evl_signal_event(evl_event* evt) {
  return raise(evt, EVL_MONITOR_SIGNALED);
}

EVL_API int evl_broadcast_event(evl_event* evt) {
  return raise(evt, EVL_MONITOR_SIGNALED | EVL_MONITOR_BROADCAST);
}

EVL_API int evl_signal_thread(evl_event* evt, int thrfd) {
  if (!current.attached()) return -EPERM;
  if (const int status = ensure_active(evt); status < 0) return status;
  evl_monitor_state* const gate = gate_of_waiters(evt);
  if (gate == nullptr) return 0;
  raise_flags(*gate, EVL_MONITOR_SIGNALED);
  const __u32 event = static_cast<__u32>(evt->u.active.efd);
  return kernel::oob_ioctl(thrfd, EVL_THRIOC_SIGNAL, &event);
}

EVL_API int evl_close_event(evl_event* evt) {
  switch (magic_of(evt->magic)) {
    case __EVENT_UNINIT_MAGIC:
      return 0;
    case kActiveMagic:
      set_magic(evt->magic, kDeadMagic);
      kernel::close(evt->u.active.efd);
      return 0;
    default:
      return -EINVAL;
  }
}
