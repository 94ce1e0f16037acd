/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spinlocks of a pipelined kernel, in addition to the regular ones which
 * belong to in-band code.
 *
 * hard_spinlock_t	Either stage. Masks the CPU, does not touch the in-band
 *			state, nor the preemption count.
 * hybrid_spinlock_t	For data that in-band code and pipeline entry share. A
 *			raw spinlock to in-band code, which masks the CPU too;
 *			a hard one elsewhere.
 *
 * Both are used through the raw_spin_*() names, which look at the type.
 * Whatever is taken inside of one has to be one of them.
 */
#ifndef __LINUX_SPINLOCK_PIPELINE_TYPES_H
#define __LINUX_SPINLOCK_PIPELINE_TYPES_H

#ifdef CONFIG_IRQ_PIPELINE

struct hard_spinlock {
	union {
		struct raw_spinlock rlock;
#ifdef CONFIG_DEBUG_LOCK_ALLOC
		struct {
			u8 __padding[offsetof(struct raw_spinlock, dep_map)];
			struct lockdep_map dep_map;
		};
#endif
	};
};

#define hard_spinlock_t		struct hard_spinlock

/**
 * struct hybrid_spinlock - lock shared with pipeline entry
 * @rlock:	the lock
 * @hwflags:	interrupt state of the CPU before the holder masked it;
 *		written after the lock is taken, read before it is released
 */
struct hybrid_spinlock {
	union {
		struct raw_spinlock rlock;
#ifdef CONFIG_DEBUG_LOCK_ALLOC
		struct {
			u8 __padding[offsetof(struct raw_spinlock, dep_map)];
			struct lockdep_map dep_map;
		};
#endif
	};
	unsigned long hwflags;
};

#define hybrid_spinlock_t	struct hybrid_spinlock

#define __HARD_SPIN_LOCK_UNLOCKED(x)	\
	{ { .rlock = __RAW_SPIN_LOCK_INITIALIZER(x) } }
#define DEFINE_HARD_SPINLOCK(x)		\
	hard_spinlock_t x = __HARD_SPIN_LOCK_UNLOCKED(x)

#define __HYBRID_SPIN_LOCK_UNLOCKED(x)	\
	{ { .rlock = __RAW_SPIN_LOCK_INITIALIZER(x) }, .hwflags = 0 }
#define DEFINE_MUTABLE_SPINLOCK(x)	\
	hybrid_spinlock_t x = __HYBRID_SPIN_LOCK_UNLOCKED(x)

#else /* !CONFIG_IRQ_PIPELINE */

#define hard_spinlock_t			raw_spinlock_t
#define hybrid_spinlock_t		raw_spinlock_t

#define DEFINE_HARD_SPINLOCK(x)		DEFINE_RAW_SPINLOCK(x)
#define DEFINE_MUTABLE_SPINLOCK(x)	DEFINE_RAW_SPINLOCK(x)

#endif /* !CONFIG_IRQ_PIPELINE */

#endif /* __LINUX_SPINLOCK_PIPELINE_TYPES_H */
