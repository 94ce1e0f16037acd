/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The toy core as a program sees it.
 *
 * A program opens /dev/toycore, which wakes the core up, and then issues
 *
 *	prctl(TOY_CALL(TOY_SYS_...), a, b, c, d)
 *
 * from each thread. A number that is not listed fails with EINVAL, and so do all
 * of them while the core is asleep. Dates are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef _UAPI_TOYCORE_ABI_H
#define _UAPI_TOYCORE_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The bit of <asm-generic/dovetail.h> that makes a prctl(2) a core's. */
#define TOY_OOB_BIT	0x10000000
#define TOY_CALL(__nr)	((__nr) | TOY_OOB_BIT)

/*
 * Call numbers. Unless it says otherwise, a call fails with EPERM if the
 * thread is not attached.
 *
 * ATTACH(flags)	makes the caller a thread of the core, in-band.
 *			EBUSY: it is one. EINVAL: unknown flags. EPERM: it has
 *			a seccomp filter, which would be bypassed, or it
 *			belongs to the kernel.
 * DETACH()		the opposite; the caller ends up in-band.
 * OOB()		goes out-of-band. EAGAIN: this CPU takes nobody now.
 * INBAND()		goes in-band.
 * SLEEP(date)		goes out-of-band, returns at @date, out-of-band.
 * WAIT(sem)		goes out-of-band, takes a token from semaphore @sem.
 *			EINVAL: there is no such semaphore.
 * POST(sem)		gives a token, on either stage, attached or not.
 * YIELD()		goes out-of-band, lets the next one in the queue run.
 * NOP()		nothing, on either stage. Attached or not.
 * READ(fd, p, n)	oob_read(), on the out-of-band stage. EBADF: not a
 * WRITE(fd, p, n)	descriptor with out-of-band operations, or it was
 * IOCTL(fd, cmd, arg)	closed meanwhile.
 *
 * Any blocking call is restarted, or fails with EINTR, when a signal comes.
 */
enum toy_syscall {
	TOY_SYS_ATTACH = 1,
	TOY_SYS_DETACH,
	TOY_SYS_OOB,
	TOY_SYS_INBAND,
	TOY_SYS_SLEEP,
	TOY_SYS_WAIT,
	TOY_SYS_POST,
	TOY_SYS_YIELD,
	TOY_SYS_NOP,
	TOY_SYS_READ,
	TOY_SYS_WRITE,
	TOY_SYS_IOCTL,
};

/* Flags of ATTACH. */
#define TOY_F_RR	0x1	/* Shares the CPU: see TOY_QUANTUM_NS. */
#define TOY_F_RETURN	0x2	/* Goes back oob by itself after a signal. */
#define TOY_F_ALL	(TOY_F_RR | TOY_F_RETURN)

#define TOY_QUANTUM_NS	1000000
#define TOY_NR_SEMS	64

/* Why a thread went back in-band. */
enum toy_cause {
	TOY_CAUSE_ASKED,	/* INBAND, DETACH. */
	TOY_CAUSE_SYSCALL,	/* It made a call of Linux. */
	TOY_CAUSE_TRAP,		/* It caused an exception. */
	TOY_CAUSE_MAYDAY,	/* It was called back while in user mode. */
	TOY_CAUSE_KICK,		/* It was called back while in the core. */
	TOY_NR_CAUSES,
};

/**
 * struct toy_stats - what the core counted of one thread
 * @leaves:	times it left the in-band stage
 * @returns:	times it came back, by cause
 * @switches:	times the core gave it a CPU
 * @waits:	times it slept in SLEEP, WAIT or READ
 * @kicks:	times it was asked to come back (signals, migration, hotplug)
 * @kept:	fault in the kernel after which it went back out-of-band
 * @oob:	non-zero if it runs out-of-band now
 * @cpu:	where it ran out-of-band last
 *
 * @leaves equals the sum of @returns, plus one while it is out-of-band.
 */
struct toy_stats {
	__u64 leaves;
	__u64 returns[TOY_NR_CAUSES];
	__u64 switches;
	__u64 waits;
	__u64 kicks;
	__u64 kept;
	__u32 oob;
	__u32 cpu;
};

/* Of the calling thread. By ioctl(2), and by IOCTL out-of-band. */
#define TOY_IOC_STATS	_IOR('T', 1, struct toy_stats)
/* Adds one to each word: data goes in and out of user memory. */
#define TOY_IOC_ECHO	_IOWR('T', 2, struct toy_echo)

struct toy_echo {
	__u64 word[4];
};

#endif /* _UAPI_TOYCORE_ABI_H */
