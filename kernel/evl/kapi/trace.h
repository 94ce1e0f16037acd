/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages, assertions, tracepoints (group "evl"; ftrace formats are on the C side).
 * Stage: any. Irqs: any, for all of this file.
 */
#ifndef EVL_KAPI_TRACE_H
#define EVL_KAPI_TRACE_H

#include "kapi/base.h"

KAPI_BEGIN_DECLS

enum kapi_severity { KAPI_ERROR = 3, KAPI_WARNING = 4, KAPI_INFO = 6 };

/* One line of the kernel log, prefix "EVL: " and newline added; in-band prints it later. */
KAPI_PRINTF(2, 3)
void kapi_print(enum kapi_severity severity, const char *format, ...);

/* The same, at most 10 per 5 s for each `format`. */
KAPI_PRINTF(2, 3)
void kapi_print_ratelimited(enum kapi_severity severity, const char *format, ...);

/* snprintf() that returns what it wrote, below capacity. */
KAPI_PRINTF(3, 4)
long kapi_format(char *buf, size_t capacity, const char *format, ...);

/* An assertion failed: the kernel stops (BUG). Does not return; see base/assert.h. */
void kapi_bug(const char *expression, const char *file, int line);

/* A mistake of a caller outside the core: one report with backtrace, and on. */
void kapi_warn(const char *what, const char *file, int line);

/*
 * Tracepoints. The names are those of the events without "evl_". `object` is what it is about
 * (a thread's, timer's or clock's name for the record; NULL: none), a and b as the table in
 * Documentation/core/tracepoints.md says. Cost: a patched jump while the event is off.
 */
enum kapi_event {
	KAPI_EV_schedule, KAPI_EV_reschedule_ipi, KAPI_EV_pick_thread, KAPI_EV_switch_tail,
	KAPI_EV_init_thread, KAPI_EV_sleep_on, KAPI_EV_wakeup_thread, KAPI_EV_hold_thread,
	KAPI_EV_release_thread, KAPI_EV_thread_fault, KAPI_EV_thread_set_current_prio,
	KAPI_EV_thread_cancel, KAPI_EV_thread_join, KAPI_EV_unblock_thread,
	KAPI_EV_thread_wait_period, KAPI_EV_thread_missed_period, KAPI_EV_thread_migrate,
	KAPI_EV_watchdog_signal, KAPI_EV_switch_oob, KAPI_EV_switched_oob,
	KAPI_EV_switched_inband, KAPI_EV_kthread_entry, KAPI_EV_thread_map,
	KAPI_EV_thread_unmap, KAPI_EV_inband_wakeup, KAPI_EV_inband_signal,
	KAPI_EV_timer_start, KAPI_EV_timer_stop, KAPI_EV_timer_expire, KAPI_EV_timer_move,
	KAPI_EV_wait, KAPI_EV_wake_up, KAPI_EV_flush_wait, KAPI_EV_finish_wait,
	KAPI_EV_mutex_trylock, KAPI_EV_mutex_lock, KAPI_EV_mutex_unlock,
	KAPI_EV_mutex_destroy, KAPI_EV_mutex_flush, KAPI_EV_oob_sysentry,
	KAPI_EV_oob_sysexit, KAPI_EV_inband_sysentry, KAPI_EV_inband_sysexit,
	KAPI_EV_thread_setsched, KAPI_EV_thread_getsched, KAPI_EV_thread_update_mode,
	KAPI_EV_clock_getres, KAPI_EV_clock_gettime, KAPI_EV_clock_settime,
	KAPI_EV_register_clock, KAPI_EV_unregister_clock, KAPI_EV_fpu_corrupt,
	KAPI_EV_trigger,
	KAPI_NR_EVENTS
};
void (kapi_trace)(enum kapi_event event, const char *object, __s64 a, __s64 b);

/* Is any event on? For arguments that cost something. True where nobody knows. */
#ifndef KAPI_HAS_FAST_PATHS
#define kapi_tracing() true
#endif

/* Events whose text tools read have their own fields. */
struct kapi_trace_thread {
	const char *name;
	int pid;
	int priority;
	unsigned int state;
};
void kapi_trace_switch_context(const struct kapi_trace_thread *from,
			       const struct kapi_trace_thread *to);
void kapi_trace_timer_shot(const char *timer, __s64 date_ns, __s64 delay_ns);
void kapi_trace_latspot(__s64 latency_ns);
void kapi_trace_switch_inband(const char *cause);

/* The trace element: one line evl_trace, at most 127 bytes; and a swap of ftrace's buffer. */
void kapi_trace_text(const char *text, size_t bytes);
int kapi_trace_snapshot(void);	/* Stage: inband. Errors: EOPNOTSUPP not configured. */

KAPI_END_DECLS

#endif /* EVL_KAPI_TRACE_H */
