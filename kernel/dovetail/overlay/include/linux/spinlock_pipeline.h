/* SPDX-License-Identifier: GPL-2.0 */
/*
 * raw_spin_*() on hard and hybrid spinlocks. Included at the end of
 * <linux/spinlock.h>: redefines the raw_spin_*() macros so that they pick the
 * operation by the type of the lock, at compile time.
 */
#ifndef __LINUX_SPINLOCK_PIPELINE_H
#define __LINUX_SPINLOCK_PIPELINE_H

#ifdef CONFIG_IRQ_PIPELINE

void hard_spin_lock(hard_spinlock_t *lock, int subclass) __acquires(lock);
int hard_spin_trylock(hard_spinlock_t *lock);
void hard_spin_unlock(hard_spinlock_t *lock) __releases(lock);

void hybrid_spin_lock(hybrid_spinlock_t *lock, int subclass) __acquires(lock);
int hybrid_spin_trylock(hybrid_spinlock_t *lock);
void hybrid_spin_unlock(hybrid_spinlock_t *lock) __releases(lock);
void hybrid_spin_lock_irq(hybrid_spinlock_t *lock) __acquires(lock);
void hybrid_spin_unlock_irq(hybrid_spinlock_t *lock) __releases(lock);
unsigned long hybrid_spin_lock_irqsave(hybrid_spinlock_t *lock, int subclass)
	__acquires(lock);
void hybrid_spin_unlock_irqrestore(hybrid_spinlock_t *lock,
				   unsigned long flags) __releases(lock);
int hybrid_spin_trylock_irqsave(hybrid_spinlock_t *lock, unsigned long *flags);

#ifdef CONFIG_DEBUG_IRQ_PIPELINE
void check_spinlock_context(unsigned long ip);
#else
#define check_spinlock_context(__ip)	((void)(__ip))
#endif

/*
 * Regular raw spinlocks, as functions with the same signature as the above.
 */
static __always_inline void inband_spin_lock(raw_spinlock_t *lock, int subclass)
	__acquires(lock)
{
	check_spinlock_context(_THIS_IP_);
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	if (subclass) {
		_raw_spin_lock_nested(lock, subclass);
		return;
	}
#endif
	_raw_spin_lock(lock);
}

static __always_inline int inband_spin_trylock(raw_spinlock_t *lock)
{
	return _raw_spin_trylock(lock);
}

static __always_inline void inband_spin_unlock(raw_spinlock_t *lock)
	__releases(lock)
{
	_raw_spin_unlock(lock);
}

static __always_inline void inband_spin_lock_irq(raw_spinlock_t *lock)
	__acquires(lock)
{
	check_spinlock_context(_THIS_IP_);
	_raw_spin_lock_irq(lock);
}

static __always_inline void inband_spin_unlock_irq(raw_spinlock_t *lock)
	__releases(lock)
{
	_raw_spin_unlock_irq(lock);
}

static __always_inline unsigned long
inband_spin_lock_irqsave(raw_spinlock_t *lock, int subclass) __acquires(lock)
{
	unsigned long flags;

	check_spinlock_context(_THIS_IP_);
#ifdef CONFIG_SMP
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	if (subclass)
		return _raw_spin_lock_irqsave_nested(lock, subclass);
#endif
	flags = _raw_spin_lock_irqsave(lock);
#else
	local_irq_save(flags);
	_raw_spin_lock(lock);
#endif

	return flags;
}

static __always_inline void
inband_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags)
	__releases(lock)
{
	_raw_spin_unlock_irqrestore(lock, flags);
}

static __always_inline int
inband_spin_trylock_irqsave(raw_spinlock_t *lock, unsigned long *flags)
{
	local_irq_save(*flags);
	if (_raw_spin_trylock(lock))
		return 1;
	local_irq_restore(*flags);
	return 0;
}

static __always_inline int inband_spin_trylock_irq(raw_spinlock_t *lock)
{
	local_irq_disable();
	if (_raw_spin_trylock(lock))
		return 1;
	local_irq_enable();
	return 0;
}

/* Hard spinlocks with an interrupt state: that of the CPU. */
static inline void hard_spin_lock_irq(hard_spinlock_t *lock) __acquires(lock)
{
	hard_local_irq_disable();
	hard_spin_lock(lock, 0);
}

static inline void hard_spin_unlock_irq(hard_spinlock_t *lock) __releases(lock)
{
	hard_spin_unlock(lock);
	hard_local_irq_enable();
}

static inline unsigned long
hard_spin_lock_irqsave(hard_spinlock_t *lock, int subclass) __acquires(lock)
{
	unsigned long flags = hard_local_irq_save();

	hard_spin_lock(lock, subclass);

	return flags;
}

static inline void
hard_spin_unlock_irqrestore(hard_spinlock_t *lock, unsigned long flags)
	__releases(lock)
{
	hard_spin_unlock(lock);
	hard_local_irq_restore(flags);
}

static inline int
hard_spin_trylock_irqsave(hard_spinlock_t *lock, unsigned long *flags)
{
	*flags = hard_local_irq_save();
	if (hard_spin_trylock(lock))
		return 1;
	hard_local_irq_restore(*flags);
	return 0;
}

static inline int hard_spin_trylock_irq(hard_spinlock_t *lock)
{
	hard_local_irq_disable();
	if (hard_spin_trylock(lock))
		return 1;
	hard_local_irq_enable();
	return 0;
}

#define __is_lock_type(_lk, _type)				\
	__builtin_types_compatible_p(typeof(_lk), _type *)

#define __pick_spin_op(_lk, __op)				\
	__builtin_choose_expr(__is_lock_type(_lk, hard_spinlock_t), \
		hard_spin_##__op,				\
		__builtin_choose_expr(__is_lock_type(_lk, hybrid_spinlock_t), \
			hybrid_spin_##__op,			\
			inband_spin_##__op))

#define __pick_hard_or_inband_op(_lk, __op)			\
	__builtin_choose_expr(__is_lock_type(_lk, hard_spinlock_t), \
		hard_spin_##__op,				\
		inband_spin_##__op)

#undef raw_spin_lock
#define raw_spin_lock(_lk)		__pick_spin_op(_lk, lock)(_lk, 0)
#undef raw_spin_lock_nested
#define raw_spin_lock_nested(_lk, subclass)			\
	__pick_spin_op(_lk, lock)(_lk, subclass)
#undef raw_spin_trylock
#define raw_spin_trylock(_lk)					\
	__cond_lock(_lk, __pick_spin_op(_lk, trylock)(_lk))
#undef raw_spin_unlock
#define raw_spin_unlock(_lk)		__pick_spin_op(_lk, unlock)(_lk)

#undef raw_spin_lock_irq
#define raw_spin_lock_irq(_lk)		__pick_spin_op(_lk, lock_irq)(_lk)
#undef raw_spin_unlock_irq
#define raw_spin_unlock_irq(_lk)	__pick_spin_op(_lk, unlock_irq)(_lk)

#undef raw_spin_lock_irqsave
#define raw_spin_lock_irqsave(_lk, flags)			\
	do {							\
		typecheck(unsigned long, flags);		\
		flags = __pick_spin_op(_lk, lock_irqsave)(_lk, 0); \
	} while (0)
#undef raw_spin_lock_irqsave_nested
#define raw_spin_lock_irqsave_nested(_lk, flags, subclass)	\
	do {							\
		typecheck(unsigned long, flags);		\
		flags = __pick_spin_op(_lk, lock_irqsave)(_lk, subclass); \
	} while (0)
#undef raw_spin_unlock_irqrestore
#define raw_spin_unlock_irqrestore(_lk, flags)			\
	do {							\
		typecheck(unsigned long, flags);		\
		__pick_spin_op(_lk, unlock_irqrestore)(_lk, flags); \
	} while (0)

#undef raw_spin_trylock_irq
#define raw_spin_trylock_irq(_lk)				\
	__pick_hard_or_inband_op(_lk, trylock_irq)(_lk)
#undef raw_spin_trylock_irqsave
#define raw_spin_trylock_irqsave(_lk, flags)			\
	__pick_spin_op(_lk, trylock_irqsave)(_lk, &(flags))

/* The common part of all types, for initializers and predicates. */
#define __raw_spin_base(_lk)					\
	__builtin_choose_expr(__is_lock_type(_lk, hard_spinlock_t), \
		&((hard_spinlock_t *)(_lk))->rlock,		\
		__builtin_choose_expr(__is_lock_type(_lk, hybrid_spinlock_t), \
			&((hybrid_spinlock_t *)(_lk))->rlock,	\
			(_lk)))

#undef raw_spin_lock_init
#ifdef CONFIG_DEBUG_SPINLOCK
#define raw_spin_lock_init(_lk)				\
do {								\
	static struct lock_class_key __key;			\
								\
	__raw_spin_lock_init(__raw_spin_base(_lk), #_lk, &__key, LD_WAIT_SPIN); \
} while (0)
#else
#define raw_spin_lock_init(_lk)				\
	(*__raw_spin_base(_lk) = __RAW_SPIN_LOCK_UNLOCKED(_lk))
#endif

#undef raw_spin_is_locked
#define raw_spin_is_locked(_lk)				\
	arch_spin_is_locked(&__raw_spin_base(_lk)->raw_lock)

#endif /* CONFIG_IRQ_PIPELINE */

#endif /* __LINUX_SPINLOCK_PIPELINE_H */
