/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Threads: their state, the window they share with the core, the reports of the health
 * monitor, and the requests on a thread's file.
 */
#ifndef _EVL_UAPI_THREAD_ABI_H
#define _EVL_UAPI_THREAD_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>
#include <evl/sched-abi.h>

#define EVL_THREAD_DEV "thread"

/* State: what the thread is or waits for. */
#define EVL_T_SUSP 0x00000001 /* Suspended. */
#define EVL_T_PEND 0x00000002 /* Sleeps on a wait channel. */
#define EVL_T_DELAY 0x00000004 /* Sleeps until a date. */
#define EVL_T_WAIT 0x00000008 /* Waits for its next period. */
#define EVL_T_READY 0x00000010 /* Linked to a runqueue. */
#define EVL_T_DORMANT 0x00000020 /* Not started yet. */
#define EVL_T_ZOMBIE 0x00000040 /* Dead, disposal is pending. */
#define EVL_T_INBAND 0x00000080 /* Runs in-band. */
#define EVL_T_HALT 0x00000100 /* Halted. */
#define EVL_T_BOOST 0x00000200 /* Inheritance or a ceiling is in force. */
#define EVL_T_PTSYNC 0x00000400 /* Frozen: a debugger stopped the process. */
#define EVL_T_RRB 0x00000800 /* Has a time slice. */
#define EVL_T_ROOT 0x00001000 /* Stands for in-band on its CPU. */
#define EVL_T_WEAK 0x00002000 /* Of the weak class. */
#define EVL_T_USER 0x00004000 /* A thread of user space. */
#define EVL_T_WOSS 0x00008000 /* Mode: warn on stage switch. */
#define EVL_T_WOLI 0x00010000 /* Mode: warn on locking inconsistency. */
#define EVL_T_WOSX 0x00020000 /* Mode: warn on stage exclusion. */
#define EVL_T_PTRACE 0x00040000 /* Stopped by a debugger. */
#define EVL_T_OBSERV 0x00080000 /* Has an observable. */
#define EVL_T_HMSIG 0x00100000 /* Mode: report by SIGDEBUG. */
#define EVL_T_HMOBS 0x00200000 /* Mode: report through the observable. */
#define EVL_T_WOSO 0x00400000 /* Mode: warn on scheduling overrun. */

/* One letter per bit, from bit 0; a dot is not shown. PEND is lower case if DELAY is set too. */
#define EVL_THREAD_STATE_LABELS "SWDpRUZXHb#r...t..To..."
EVL_ABI_SIZE(EVL_THREAD_STATE_LABELS, 23 + 1);

/* The bits EVL_THRIOC_SET_MODE and EVL_THRIOC_CLEAR_MODE accept. */
#define EVL_T_MODE_MASK                                                             \
	(EVL_T_WOSS | EVL_T_WOLI | EVL_T_WOSX | EVL_T_WOSO | EVL_T_HMSIG | EVL_T_HMOBS)

/* Information: why something happened to the thread. */
#define EVL_T_TIMEO 0x00000001 /* The date was reached. */
#define EVL_T_RMID 0x00000002 /* The element went away. */
#define EVL_T_BREAK 0x00000004 /* Forced out of the wait. */
#define EVL_T_KICKED 0x00000008 /* Has to go in-band. */
#define EVL_T_WCHAN 0x00000010 /* To be requeued in its wait channel. */
#define EVL_T_CANCELD 0x00000040 /* Cancellation is pending. */
#define EVL_T_PIALERT 0x00000080 /* EVL_HMDIAG_LKDEPEND was sent. */
#define EVL_T_SCHEDP 0x00000100 /* In-band parameters are to be updated. */
#define EVL_T_BCAST 0x00000200 /* Woken by a broadcast. */
#define EVL_T_SIGNAL 0x00000400 /* Target of EVL_THRIOC_SIGNAL. */
#define EVL_T_SXALERT 0x00000800 /* EVL_HMDIAG_STAGEX was sent. */
#define EVL_T_PTSIG 0x00001000 /* A signal for the debugger is pending. */
#define EVL_T_PTSTOP 0x00002000 /* A stop by the debugger is in progress. */
#define EVL_T_PTJOIN 0x00004000 /* Has to join the barrier of the stop. */
#define EVL_T_NOMEM 0x00008000 /* Woken because memory ran out. */

/* Local information: read and written by the thread itself, inside the core. */
#define EVL_T_SYSRST 0x00000001 /* A sleep is to be restarted. */
#define EVL_T_IGNOVR 0x00000002 /* Hide overruns once. */
#define EVL_T_INFAULT 0x00000004 /* Handles a trap. */
#define EVL_T_NORST 0x00000008 /* Do not restart the call. */

/* Codes of the health monitor: the low byte of SIGDEBUG's value, see <evl/signal.h>. */
#define EVL_HMDIAG_SIGDEMOTE 1 /* Switched in-band to handle a signal. */
#define EVL_HMDIAG_SYSDEMOTE 2 /* Switched in-band by a system call. */
#define EVL_HMDIAG_EXDEMOTE 3 /* Switched in-band by a fault. */
#define EVL_HMDIAG_WATCHDOG 4 /* Held its CPU for too long. */
#define EVL_HMDIAG_LKDEPEND 5 /* Went in-band while owning a mutex. */
#define EVL_HMDIAG_LKIMBALANCE 6 /* Released what it does not own. */
#define EVL_HMDIAG_LKSLEEP 7 /* Went to sleep while owning a mutex. */
#define EVL_HMDIAG_STAGEX 8 /* Delayed by a stax which in-band holds. */
#define EVL_HMDIAG_OVERRUN 9 /* Ran over its time window. */

/*
 * The window a thread shares with the core, in the shared heap. state and info are copies
 * which the core refreshes; pp_pending belongs to the thread. See abi.md.
 */
struct evl_user_window {
	__u32 state;
	__u32 info;
	__u32 pp_pending;
};
EVL_ABI_SIZE(struct evl_user_window, 12);

struct evl_thread_state {
	struct evl_sched_attrs eattrs; /* In force: inheritance and ceilings included. */
	__u32 cpu;
	__u32 state; /* EVL_T_SUSP and following. */
	__u32 isw; /* Forced in-band switches. */
	__u32 csw; /* Context switches. */
	__u32 sc; /* Requests to the core. */
	__u32 rwa; /* Wake-ups from another CPU. */
	__u64 xtime; /* CPU time out-of-band, ns. */
};
EVL_ABI_SIZE(struct evl_thread_state, 56);
EVL_ABI_OFFSET(struct evl_thread_state, xtime, 48);

#define EVL_THREAD_IOCBASE 'T'

#define EVL_THRIOC_SIGNAL _IOW(EVL_THREAD_IOCBASE, 0, __u32)
#define EVL_THRIOC_SET_SCHEDPARAM _IOW(EVL_THREAD_IOCBASE, 1, struct evl_sched_attrs)
#define EVL_THRIOC_GET_SCHEDPARAM _IOR(EVL_THREAD_IOCBASE, 2, struct evl_sched_attrs)
#define EVL_THRIOC_JOIN _IO(EVL_THREAD_IOCBASE, 3)
#define EVL_THRIOC_GET_STATE _IOR(EVL_THREAD_IOCBASE, 4, struct evl_thread_state)
#define EVL_THRIOC_SWITCH_OOB _IO(EVL_THREAD_IOCBASE, 5)
#define EVL_THRIOC_SWITCH_INBAND _IO(EVL_THREAD_IOCBASE, 6)
#define EVL_THRIOC_DETACH_SELF _IO(EVL_THREAD_IOCBASE, 7)
#define EVL_THRIOC_SET_MODE _IOWR(EVL_THREAD_IOCBASE, 8, __u32)
#define EVL_THRIOC_CLEAR_MODE _IOWR(EVL_THREAD_IOCBASE, 9, __u32)
#define EVL_THRIOC_UNBLOCK _IO(EVL_THREAD_IOCBASE, 10)
#define EVL_THRIOC_DEMOTE _IO(EVL_THREAD_IOCBASE, 11)
#define EVL_THRIOC_YIELD _IO(EVL_THREAD_IOCBASE, 12)

#endif /* !_EVL_UAPI_THREAD_ABI_H */
