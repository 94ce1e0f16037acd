// SPDX-License-Identifier: MIT
//
// kapi of the simulator: tracepoints become lines of the machine's trace.

#include <cerrno>

#include "linux/linux.h"

namespace {

using sim::lx;

sim::Machine& mc() {
  return sim::Machine::current();
}

constexpr const char* kNames[] = {"schedule",       "reschedule_ipi",   "pick_thread",
                                  "switch_tail",    "init_thread",      "sleep_on",
                                  "wakeup_thread",  "hold_thread",      "release_thread",
                                  "thread_fault",   "set_current_prio", "thread_cancel",
                                  "thread_join",    "unblock_thread",   "thread_wait_period",
                                  "missed_period",  "thread_migrate",   "watchdog_signal",
                                  "switch_oob",     "switched_oob",     "switched_inband",
                                  "kthread_entry",  "thread_map",       "thread_unmap",
                                  "inband_wakeup",  "inband_signal",    "timer_start",
                                  "timer_stop",     "timer_expire",     "timer_move",
                                  "wait",           "wake_up",          "flush_wait",
                                  "finish_wait",    "mutex_trylock",    "mutex_lock",
                                  "mutex_unlock",   "mutex_destroy",    "mutex_flush",
                                  "oob_sysentry",   "oob_sysexit",      "inband_sysentry",
                                  "inband_sysexit", "thread_setsched",  "thread_getsched",
                                  "update_mode",    "clock_getres",     "clock_gettime",
                                  "clock_settime",  "register_clock",   "unregister_clock",
                                  "fpu_corrupt",    "trigger"};
static_assert(sizeof kNames / sizeof *kNames == KAPI_NR_EVENTS);

}  // namespace

extern "C" {

void kapi_trace(enum kapi_event event, const char* /*object*/, __s64 a, __s64 /*b*/) {
  if (event == KAPI_EV_watchdog_signal) lx().watchdog_strikes(static_cast<std::uint64_t>(a));
  mc().note(kNames[event], nullptr, static_cast<std::uint64_t>(a));
}
void kapi_trace_switch_context(const struct kapi_trace_thread* from,
                               const struct kapi_trace_thread* to) {
  mc().note("switch_context", nullptr,
            (static_cast<std::uint64_t>(from->pid) << 32U) | static_cast<std::uint32_t>(to->pid));
}
void kapi_trace_timer_shot(const char* /*timer*/, __s64 date_ns, __s64 /*delay_ns*/) {
  mc().note("timer_shot", nullptr, static_cast<std::uint64_t>(date_ns));
}
void kapi_trace_latspot(__s64 latency_ns) {
  mc().note("latspot", nullptr, static_cast<std::uint64_t>(latency_ns));
}
void kapi_trace_switch_inband(const char* cause) {
  mc().note(cause);
}
void kapi_trace_text(const char* /*text*/, size_t bytes) {
  mc().note("trace text", nullptr, bytes);
}
int kapi_trace_snapshot(void) {
  return -ENOSYS;
}

}  // extern "C"
