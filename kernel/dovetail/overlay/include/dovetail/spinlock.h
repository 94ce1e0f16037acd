/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Place for the spinlock types of a companion core: it puts a header of this
 * name earlier in the include path.
 */
#ifndef _DOVETAIL_SPINLOCK_H
#define _DOVETAIL_SPINLOCK_H
#endif /* !_DOVETAIL_SPINLOCK_H */
