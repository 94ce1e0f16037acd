// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints. Any stage, any interrupt state: ftrace's buffer takes records from anywhere.
 */
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/math64.h>

#include "kapi/internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/evl.h>

/* How many events are on: one jump for all of them while there is none. See <kapi-platform.h>. */
DEFINE_STATIC_KEY_FALSE(kapi_events_used);

int kapi_trace_used(void)
{
	static_branch_inc(&kapi_events_used);

	return 0;
}

void kapi_trace_unused(void)
{
	static_branch_dec(&kapi_events_used);
}

static void (*const tracers[])(const char *object, s64 a, s64 b) = {
	[KAPI_EV_schedule] = trace_evl_schedule,
	[KAPI_EV_reschedule_ipi] = trace_evl_reschedule_ipi,
	[KAPI_EV_pick_thread] = trace_evl_pick_thread,
	[KAPI_EV_switch_tail] = trace_evl_switch_tail,
	[KAPI_EV_init_thread] = trace_evl_init_thread,
	[KAPI_EV_sleep_on] = trace_evl_sleep_on,
	[KAPI_EV_wakeup_thread] = trace_evl_wakeup_thread,
	[KAPI_EV_hold_thread] = trace_evl_hold_thread,
	[KAPI_EV_release_thread] = trace_evl_release_thread,
	[KAPI_EV_thread_fault] = trace_evl_thread_fault,
	[KAPI_EV_thread_set_current_prio] = trace_evl_thread_set_current_prio,
	[KAPI_EV_thread_cancel] = trace_evl_thread_cancel,
	[KAPI_EV_thread_join] = trace_evl_thread_join,
	[KAPI_EV_unblock_thread] = trace_evl_unblock_thread,
	[KAPI_EV_thread_wait_period] = trace_evl_thread_wait_period,
	[KAPI_EV_thread_missed_period] = trace_evl_thread_missed_period,
	[KAPI_EV_thread_migrate] = trace_evl_thread_migrate,
	[KAPI_EV_watchdog_signal] = trace_evl_watchdog_signal,
	[KAPI_EV_switch_oob] = trace_evl_switch_oob,
	[KAPI_EV_switched_oob] = trace_evl_switched_oob,
	[KAPI_EV_switched_inband] = trace_evl_switched_inband,
	[KAPI_EV_kthread_entry] = trace_evl_kthread_entry,
	[KAPI_EV_thread_map] = trace_evl_thread_map,
	[KAPI_EV_thread_unmap] = trace_evl_thread_unmap,
	[KAPI_EV_inband_wakeup] = trace_evl_inband_wakeup,
	[KAPI_EV_inband_signal] = trace_evl_inband_signal,
	[KAPI_EV_timer_start] = trace_evl_timer_start,
	[KAPI_EV_timer_stop] = trace_evl_timer_stop,
	[KAPI_EV_timer_expire] = trace_evl_timer_expire,
	[KAPI_EV_timer_move] = trace_evl_timer_move,
	[KAPI_EV_wait] = trace_evl_wait,
	[KAPI_EV_wake_up] = trace_evl_wake_up,
	[KAPI_EV_flush_wait] = trace_evl_flush_wait,
	[KAPI_EV_finish_wait] = trace_evl_finish_wait,
	[KAPI_EV_mutex_trylock] = trace_evl_mutex_trylock,
	[KAPI_EV_mutex_lock] = trace_evl_mutex_lock,
	[KAPI_EV_mutex_unlock] = trace_evl_mutex_unlock,
	[KAPI_EV_mutex_destroy] = trace_evl_mutex_destroy,
	[KAPI_EV_mutex_flush] = trace_evl_mutex_flush,
	[KAPI_EV_oob_sysentry] = trace_evl_oob_sysentry,
	[KAPI_EV_oob_sysexit] = trace_evl_oob_sysexit,
	[KAPI_EV_inband_sysentry] = trace_evl_inband_sysentry,
	[KAPI_EV_inband_sysexit] = trace_evl_inband_sysexit,
	[KAPI_EV_thread_setsched] = trace_evl_thread_setsched,
	[KAPI_EV_thread_getsched] = trace_evl_thread_getsched,
	[KAPI_EV_thread_update_mode] = trace_evl_thread_update_mode,
	[KAPI_EV_clock_getres] = trace_evl_clock_getres,
	[KAPI_EV_clock_gettime] = trace_evl_clock_gettime,
	[KAPI_EV_clock_settime] = trace_evl_clock_settime,
	[KAPI_EV_register_clock] = trace_evl_register_clock,
	[KAPI_EV_unregister_clock] = trace_evl_unregister_clock,
	[KAPI_EV_fpu_corrupt] = trace_evl_fpu_corrupt,
	[KAPI_EV_trigger] = trace_evl_trigger,
};

static_assert(ARRAY_SIZE(tracers) == KAPI_NR_EVENTS);

void kapi_trace(enum kapi_event event, const char *object, __s64 a, __s64 b)
{
	if (static_branch_unlikely(&kapi_events_used))
		tracers[event](object ?: "-", a, b);
}

void kapi_trace_switch_context(const struct kapi_trace_thread *from,
			       const struct kapi_trace_thread *to)
{
	trace_evl_switch_context(from, to);
}

void kapi_trace_timer_shot(const char *timer, __s64 date_ns, __s64 delay_ns)
{
	trace_evl_timer_shot(timer, date_ns, delay_ns);
}

void kapi_trace_latspot(__s64 latency_ns)
{
	trace_evl_latspot(latency_ns);
}

void kapi_trace_switch_inband(const char *cause)
{
	trace_evl_switch_inband(cause);
}

void kapi_trace_text(const char *text, size_t bytes)
{
	trace_evl_trace(text, min_t(size_t, bytes, 127));
}

int kapi_trace_snapshot(void)
{
#ifdef CONFIG_TRACER_SNAPSHOT
	tracing_snapshot_alloc();

	return 0;
#else
	return -EOPNOTSUPP;
#endif
}
