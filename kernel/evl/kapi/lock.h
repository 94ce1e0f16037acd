/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hard spinlocks: the only lock of the core's oob side. Dovetail's hard_spinlock_t underneath.
 * The core uses them by its guards only, on either stage.
 */
#ifndef EVL_KAPI_LOCK_H
#define EVL_KAPI_LOCK_H

#include "kapi/base.h"

KAPI_BEGIN_DECLS

KAPI_OPAQUE(kapi_hard_spinlock);
KAPI_OPAQUE(kapi_lock_key);	/* struct lock_class_key; static storage only */

/*
 * One per kind of lock, with static storage. `rank` is the documented lock order: a lock may be
 * taken only while all locks held by this CPU have a lower rank, or the same rank when taken by
 * kapi_hard_spin_lock_nested(). Lockdep learns the same order by watching; the simulator checks
 * ranks at once.
 */
struct kapi_lock_class {
	struct kapi_lock_key key;
	const char *name;
	unsigned int rank;
};

/* Makes `lock` free. Stage: any. Irqs: any. The storage was zeroed or a destroyed lock before. */
void kapi_hard_spin_init(struct kapi_hard_spinlock *lock, struct kapi_lock_class *lock_class);

/* Stage: any. Irqs: off, and off until the unlock. Cost: spins for the holder's section. */
void kapi_hard_spin_lock(struct kapi_hard_spinlock *lock);

/* Second lock of a pair of one rank; the caller took the one with the lower address first. */
void kapi_hard_spin_lock_nested(struct kapi_hard_spinlock *lock);

/* Stage: any. Irqs: off. True when taken. The only way to take a lock against the order. */
bool kapi_hard_spin_trylock(struct kapi_hard_spinlock *lock);

/* Stage: any. Irqs: off. The holder is this CPU, though perhaps not this thread: see Rq. */
void kapi_hard_spin_unlock(struct kapi_hard_spinlock *lock);

/*
 * For assertions. Stage: any. Irqs: off. Exact ("this CPU holds it") in the simulator and under
 * lockdep; otherwise "somebody holds it".
 */
bool kapi_hard_spin_held(const struct kapi_hard_spinlock *lock);

KAPI_END_DECLS

#endif /* EVL_KAPI_LOCK_H */
