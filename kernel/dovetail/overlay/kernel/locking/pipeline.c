// SPDX-License-Identifier: GPL-2.0
/*
 * Hard and hybrid spinlocks.
 *
 * Lockdep sees what in-band code does with them. Acquisitions from pipeline
 * entry and the out-of-band stage are only tracked with DEBUG_HARD_LOCKS,
 * since that makes for long sections with hard irqs off.
 */
#include <linux/export.h>
#include <linux/irq_pipeline.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

/* Whether this context has an in-band state that a lock should act upon. */
static __always_inline bool in_inband_context(void)
{
	return !(preempt_count() & (PIPELINE_MASK | STAGE_MASK));
}

static __always_inline bool lock_is_tracked(void)
{
	return IS_ENABLED(CONFIG_DEBUG_HARD_LOCKS) || in_inband_context();
}

static __always_inline void
base_lock(struct raw_spinlock *rlock, int subclass, unsigned long ip)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	if (lock_is_tracked())
		spin_acquire(&rlock->dep_map, subclass, 0, ip);
#endif
	do_raw_spin_lock(rlock);
}

static __always_inline int
base_trylock(struct raw_spinlock *rlock, unsigned long ip)
{
	if (!do_raw_spin_trylock(rlock))
		return 0;
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	if (lock_is_tracked())
		spin_acquire(&rlock->dep_map, 0, 1, ip);
#endif
	return 1;
}

static __always_inline void
base_unlock(struct raw_spinlock *rlock, unsigned long ip)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	if (lock_is_tracked())
		spin_release(&rlock->dep_map, ip);
#endif
	do_raw_spin_unlock(rlock);
}

/*
 * The plain forms of hard locks want hard irqs off already: an interrupt over
 * the section could spin on the lock for ever.
 */
static __always_inline void check_hard_lock_context(unsigned long ip)
{
	if (irq_pipeline_debug() && irq_pipeline_active)
		WARN_ONCE(!hard_irqs_disabled(),
			  "irq_pipeline: hard lock taken with hard irqs on by %pS\n",
			  (void *)ip);
}

void hard_spin_lock(hard_spinlock_t *lock, int subclass)
{
	check_hard_lock_context(_RET_IP_);
	base_lock(&lock->rlock, subclass, _RET_IP_);
}
EXPORT_SYMBOL(hard_spin_lock);

int hard_spin_trylock(hard_spinlock_t *lock)
{
	check_hard_lock_context(_RET_IP_);

	return base_trylock(&lock->rlock, _RET_IP_);
}
EXPORT_SYMBOL(hard_spin_trylock);

void hard_spin_unlock(hard_spinlock_t *lock)
{
	base_unlock(&lock->rlock, _RET_IP_);
}
EXPORT_SYMBOL(hard_spin_unlock);

/*
 * Hybrid locks. In-band: what a raw spinlock does, in the same order, with
 * the CPU masked inside. The CPU is unmasked before the stage is unstalled or
 * a reschedule is looked for, since both may run in-band code. Elsewhere the
 * in-band state belongs to whoever was preempted, and is left alone.
 */
static __always_inline void
hybrid_acquire(hybrid_spinlock_t *lock, int subclass, unsigned long ip)
{
	unsigned long hwflags = hard_local_irq_save();

	base_lock(&lock->rlock, subclass, ip);
	lock->hwflags = hwflags;
}

static __always_inline int
hybrid_try_acquire(hybrid_spinlock_t *lock, unsigned long ip)
{
	unsigned long hwflags = hard_local_irq_save();

	if (!base_trylock(&lock->rlock, ip)) {
		hard_local_irq_restore(hwflags);
		return 0;
	}

	lock->hwflags = hwflags;

	return 1;
}

static __always_inline void
hybrid_release(hybrid_spinlock_t *lock, unsigned long ip)
{
	unsigned long hwflags = lock->hwflags;

	base_unlock(&lock->rlock, ip);
	hard_local_irq_restore(hwflags);
}

void hybrid_spin_lock(hybrid_spinlock_t *lock, int subclass)
{
	if (in_inband_context())
		preempt_disable();
	hybrid_acquire(lock, subclass, _RET_IP_);
}
EXPORT_SYMBOL(hybrid_spin_lock);

int hybrid_spin_trylock(hybrid_spinlock_t *lock)
{
	bool inband = in_inband_context();

	if (inband)
		preempt_disable();

	if (hybrid_try_acquire(lock, _RET_IP_))
		return 1;

	if (inband)
		preempt_enable();

	return 0;
}
EXPORT_SYMBOL(hybrid_spin_trylock);

void hybrid_spin_unlock(hybrid_spinlock_t *lock)
{
	hybrid_release(lock, _RET_IP_);
	if (in_inband_context())
		preempt_enable();
}
EXPORT_SYMBOL(hybrid_spin_unlock);

unsigned long hybrid_spin_lock_irqsave(hybrid_spinlock_t *lock, int subclass)
{
	unsigned long flags = 0;

	if (in_inband_context()) {
		local_irq_save(flags);
		preempt_disable();
	}

	hybrid_acquire(lock, subclass, _RET_IP_);

	return flags;
}
EXPORT_SYMBOL(hybrid_spin_lock_irqsave);

void hybrid_spin_unlock_irqrestore(hybrid_spinlock_t *lock, unsigned long flags)
{
	hybrid_release(lock, _RET_IP_);
	if (in_inband_context()) {
		local_irq_restore(flags);
		preempt_enable();
	}
}
EXPORT_SYMBOL(hybrid_spin_unlock_irqrestore);

int hybrid_spin_trylock_irqsave(hybrid_spinlock_t *lock, unsigned long *flags)
{
	bool inband = in_inband_context();

	*flags = 0;
	if (inband) {
		local_irq_save(*flags);
		preempt_disable();
	}

	if (hybrid_try_acquire(lock, _RET_IP_))
		return 1;

	if (inband) {
		local_irq_restore(*flags);
		preempt_enable();
	}

	return 0;
}
EXPORT_SYMBOL(hybrid_spin_trylock_irqsave);

void hybrid_spin_lock_irq(hybrid_spinlock_t *lock)
{
	if (in_inband_context()) {
		local_irq_disable();
		preempt_disable();
	}

	hybrid_acquire(lock, 0, _RET_IP_);
}
EXPORT_SYMBOL(hybrid_spin_lock_irq);

void hybrid_spin_unlock_irq(hybrid_spinlock_t *lock)
{
	hybrid_release(lock, _RET_IP_);
	if (in_inband_context()) {
		local_irq_enable();
		preempt_enable();
	}
}
EXPORT_SYMBOL(hybrid_spin_unlock_irq);

#ifdef CONFIG_DEBUG_IRQ_PIPELINE

/*
 * In-band locks from anywhere else: the holder may be the context that was
 * preempted on this very CPU.
 */
void check_spinlock_context(unsigned long ip)
{
	if (unlikely(!in_inband_context()))
		__check_inband_stage(ip);
}
EXPORT_SYMBOL(check_spinlock_context);
NOKPROBE_SYMBOL(check_spinlock_context);

#endif
