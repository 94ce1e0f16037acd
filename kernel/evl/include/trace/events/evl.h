/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of the core: what is recorded, and its text. See kapi/trace.h. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM evl

#if !defined(_TRACE_EVL_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_EVL_H

#include <linux/tracepoint.h>

struct kapi_trace_thread;

int kapi_trace_used(void);
void kapi_trace_unused(void);

DECLARE_EVENT_CLASS(evl_event,
	TP_PROTO(const char *object, s64 a, s64 b),
	TP_ARGS(object, a, b),
	TP_STRUCT__entry(
		__string(object, object)
		__field(s64, a)
		__field(s64, b)
	),
	TP_fast_assign(
		__assign_str(object);
		__entry->a = a;
		__entry->b = b;
	),
	TP_printk("%s a=%lld b=%lld", __get_str(object), __entry->a, __entry->b)
);

#define EVL_EVENT(_name)						\
	DEFINE_EVENT_FN(evl_event, evl_##_name,				\
		TP_PROTO(const char *object, s64 a, s64 b),		\
		TP_ARGS(object, a, b), kapi_trace_used, kapi_trace_unused)

EVL_EVENT(schedule);
EVL_EVENT(reschedule_ipi);
EVL_EVENT(pick_thread);
EVL_EVENT(switch_tail);
EVL_EVENT(init_thread);
EVL_EVENT(sleep_on);
EVL_EVENT(wakeup_thread);
EVL_EVENT(hold_thread);
EVL_EVENT(release_thread);
EVL_EVENT(thread_fault);
EVL_EVENT(thread_set_current_prio);
EVL_EVENT(thread_cancel);
EVL_EVENT(thread_join);
EVL_EVENT(unblock_thread);
EVL_EVENT(thread_wait_period);
EVL_EVENT(thread_missed_period);
EVL_EVENT(thread_migrate);
EVL_EVENT(watchdog_signal);
EVL_EVENT(switch_oob);
EVL_EVENT(switched_oob);
EVL_EVENT(switched_inband);
EVL_EVENT(kthread_entry);
EVL_EVENT(thread_map);
EVL_EVENT(thread_unmap);
EVL_EVENT(inband_wakeup);
EVL_EVENT(inband_signal);
EVL_EVENT(timer_start);
EVL_EVENT(timer_stop);
EVL_EVENT(timer_expire);
EVL_EVENT(timer_move);
EVL_EVENT(wait);
EVL_EVENT(wake_up);
EVL_EVENT(flush_wait);
EVL_EVENT(finish_wait);
EVL_EVENT(mutex_trylock);
EVL_EVENT(mutex_lock);
EVL_EVENT(mutex_unlock);
EVL_EVENT(mutex_destroy);
EVL_EVENT(mutex_flush);
EVL_EVENT(oob_sysentry);
EVL_EVENT(oob_sysexit);
EVL_EVENT(inband_sysentry);
EVL_EVENT(inband_sysexit);
EVL_EVENT(thread_setsched);
EVL_EVENT(thread_getsched);
EVL_EVENT(thread_update_mode);
EVL_EVENT(clock_getres);
EVL_EVENT(clock_gettime);
EVL_EVENT(clock_settime);
EVL_EVENT(register_clock);
EVL_EVENT(unregister_clock);
EVL_EVENT(fpu_corrupt);
EVL_EVENT(trigger);

#undef EVL_EVENT

TRACE_EVENT_FN(evl_switch_context,
	TP_PROTO(const struct kapi_trace_thread *from, const struct kapi_trace_thread *to),
	TP_ARGS(from, to),
	TP_STRUCT__entry(
		__string(from_name, from->name)
		__string(to_name, to->name)
		__field(int, from_pid)
		__field(int, from_prio)
		__field(u32, from_state)
		__field(int, to_pid)
		__field(int, to_prio)
	),
	TP_fast_assign(
		__assign_str(from_name);
		__assign_str(to_name);
		__entry->from_pid = from->pid;
		__entry->from_prio = from->priority;
		__entry->from_state = from->state;
		__entry->to_pid = to->pid;
		__entry->to_prio = to->priority;
	),
	TP_printk("{ %s[%d] prio=%d, state=%#x } => { %s[%d] prio=%d }",
		  __get_str(from_name), __entry->from_pid, __entry->from_prio,
		  __entry->from_state, __get_str(to_name), __entry->to_pid, __entry->to_prio),
	kapi_trace_used, kapi_trace_unused
);

TRACE_EVENT_FN(evl_timer_shot,
	TP_PROTO(const char *timer, s64 date_ns, s64 delay_ns),
	TP_ARGS(timer, date_ns, delay_ns),
	TP_STRUCT__entry(
		__string(timer, timer)
		__field(s64, date_ns)
		__field(s64, delay_ns)
	),
	TP_fast_assign(
		__assign_str(timer);
		__entry->date_ns = date_ns;
		__entry->delay_ns = delay_ns;
	),
	TP_printk("%s at %lld.%06lld (delay: %lld us, %lld ns)", __get_str(timer),
		  div_s64(__entry->date_ns, NSEC_PER_SEC),
		  div_s64(__entry->date_ns, NSEC_PER_USEC) % USEC_PER_SEC,
		  div_s64(__entry->delay_ns, NSEC_PER_USEC), __entry->delay_ns),
	kapi_trace_used, kapi_trace_unused
);

TRACE_EVENT_FN(evl_latspot,
	TP_PROTO(s64 latency_ns),
	TP_ARGS(latency_ns),
	TP_STRUCT__entry(
		__field(s64, latency_ns)
	),
	TP_fast_assign(
		__entry->latency_ns = latency_ns;
	),
	TP_printk("** latency peak: %s%lld.%03lld us **", __entry->latency_ns < 0 ? "-" : "",
		  div_s64(abs(__entry->latency_ns), NSEC_PER_USEC),
		  abs(__entry->latency_ns) % NSEC_PER_USEC),
	kapi_trace_used, kapi_trace_unused
);

TRACE_EVENT_FN(evl_switch_inband,
	TP_PROTO(const char *cause),
	TP_ARGS(cause),
	TP_STRUCT__entry(
		__string(cause, cause)
	),
	TP_fast_assign(
		__assign_str(cause);
	),
	TP_printk("cause: %s", __get_str(cause)),
	kapi_trace_used, kapi_trace_unused
);

TRACE_EVENT(evl_trace,
	TP_PROTO(const char *text, size_t bytes),
	TP_ARGS(text, bytes),
	TP_STRUCT__entry(
		__string_len(text, text, bytes)
	),
	TP_fast_assign(
		__assign_str(text);
	),
	TP_printk("%s", __get_str(text))
);

#endif /* _TRACE_EVL_H */

#include <trace/define_trace.h>
