// SPDX-License-Identifier: GPL-2.0
/*
 * Hard spinlocks of the core.
 *
 * The lock of a run queue is taken by one task and released by another, after the switch from one
 * to the other. The CPU is the owner all along, since hard irqs stay off, but the debug code of
 * Linux books a lock on the task. With DEBUG_SPINLOCK, each CPU keeps a list of the locks that it
 * holds, by which the switch corrects the books; it makes kapi_hard_spin_held() exact as well.
 */
#include <linux/irq_pipeline.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "kapi/internal.h"

static hard_spinlock_t *hard(const struct kapi_hard_spinlock *lock)
{
	return (hard_spinlock_t *)lock;
}

static_assert(sizeof(struct kapi_hard_spinlock) == sizeof(hard_spinlock_t));
static_assert(sizeof(struct kapi_lock_key) >= sizeof(struct lock_class_key));

#ifdef CONFIG_DEBUG_SPINLOCK

/* The deepest nesting: one lock per rank of the core, pairs for two of them. */
#define MAX_HELD	16

struct held_locks {
	unsigned int count;
	hard_spinlock_t *lock[MAX_HELD];
};

/* This CPU only, hard irqs off. */
static DEFINE_PER_CPU(struct held_locks, held_locks);

static void note_lock(hard_spinlock_t *lock)
{
	struct held_locks *held = raw_cpu_ptr(&held_locks);

	if (!WARN_ON_ONCE(held->count == MAX_HELD))
		held->lock[held->count++] = lock;
}

/* Locks may be released in any order. Bound of the loop: MAX_HELD. */
static void note_unlock(hard_spinlock_t *lock)
{
	struct held_locks *held = raw_cpu_ptr(&held_locks);
	unsigned int n;

	for (n = held->count; n-- > 0;) {
		if (held->lock[n] == lock) {
			held->lock[n] = held->lock[--held->count];
			return;
		}
	}

	WARN_ONCE(1, "EVL: a lock is released that this CPU does not hold\n");
}

/* Bound of the loops: MAX_HELD. Hard irqs off. */
void kapi_locks_leave(void)
{
#ifdef CONFIG_DEBUG_HARD_LOCKS
	struct held_locks *held = raw_cpu_ptr(&held_locks);
	unsigned int n;

	for (n = held->count; n-- > 0;)
		spin_release(&held->lock[n]->rlock.dep_map, _RET_IP_);
#endif
}

void kapi_locks_arrive(void)
{
	struct held_locks *held = raw_cpu_ptr(&held_locks);
	unsigned int n;

	for (n = 0; n < held->count; n++) {
#ifdef CONFIG_DEBUG_HARD_LOCKS
		/* As if tried: what the CPU holds says nothing about the order. */
		spin_acquire(&held->lock[n]->rlock.dep_map, 0, 1, _RET_IP_);
#endif
		held->lock[n]->rlock.owner = current;
	}
}

void kapi_hard_spin_init(struct kapi_hard_spinlock *lock, struct kapi_lock_class *lock_class)
{
	__raw_spin_lock_init(&hard(lock)->rlock, lock_class->name,
			     (struct lock_class_key *)&lock_class->key, LD_WAIT_SPIN);
}

bool kapi_hard_spin_held(const struct kapi_hard_spinlock *lock)
{
	struct held_locks *held = raw_cpu_ptr(&held_locks);
	unsigned int n;

	for (n = 0; n < held->count; n++)
		if (held->lock[n] == hard(lock))
			return true;

	return false;
}

#else /* !CONFIG_DEBUG_SPINLOCK */

static inline void note_lock(hard_spinlock_t *lock) { }
static inline void note_unlock(hard_spinlock_t *lock) { }

void kapi_hard_spin_init(struct kapi_hard_spinlock *lock, struct kapi_lock_class *lock_class)
{
	raw_spin_lock_init(hard(lock));
}

bool kapi_hard_spin_held(const struct kapi_hard_spinlock *lock)
{
	return raw_spin_is_locked(hard(lock));
}

#endif /* !CONFIG_DEBUG_SPINLOCK */

void kapi_hard_spin_lock(struct kapi_hard_spinlock *lock)
{
	raw_spin_lock(hard(lock));
	note_lock(hard(lock));
}

/* Of <kapi-platform.h>: somebody has it. Not nested: fast paths are without lockdep. */
void kapi_hard_spin_lock_contended(struct kapi_hard_spinlock *lock);

void kapi_hard_spin_lock_contended(struct kapi_hard_spinlock *lock)
{
	raw_spin_lock(hard(lock));
}

void kapi_hard_spin_lock_nested(struct kapi_hard_spinlock *lock)
{
	raw_spin_lock_nested(hard(lock), SINGLE_DEPTH_NESTING);
	note_lock(hard(lock));
}

bool kapi_hard_spin_trylock(struct kapi_hard_spinlock *lock)
{
	if (!raw_spin_trylock(hard(lock)))
		return false;

	note_lock(hard(lock));

	return true;
}

void kapi_hard_spin_unlock(struct kapi_hard_spinlock *lock)
{
	note_unlock(hard(lock));
	raw_spin_unlock(hard(lock));
}
