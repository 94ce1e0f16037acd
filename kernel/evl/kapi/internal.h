/* SPDX-License-Identifier: GPL-2.0 */
/* Between the .c files of kapi; the core does not see it. */
#ifndef EVL_KAPI_INTERNAL_H
#define EVL_KAPI_INTERNAL_H

#include "kapi/kapi.h"

struct cpumask;
struct file;
struct inode;

/* lock.c: around a switch of contexts, for what debug code knows of the locks this CPU holds. */
#ifdef CONFIG_DEBUG_SPINLOCK
void kapi_locks_leave(void);
void kapi_locks_arrive(void);
#else
#define kapi_locks_leave()	do { } while (0)
#define kapi_locks_arrive()	do { } while (0)
#endif

/* irq.c: from here on, or no longer, the core gets the brackets of interrupts. In-band. */
void kapi_irq_brackets(bool on);

/* cpu.c */
void kapi_config_init(void);
const struct cpumask *kapi_to_cpumask(const struct kapi_cpumask *cpus);
void kapi_from_cpumask(struct kapi_cpumask *cpus, const struct cpumask *mask);

/* clock.c: whether the tick device of this CPU is the core's. Pinned. */
bool kapi_tick_is_ours(void);

/* file.c: what all files of the core have, those of devices and anonymous ones. */
extern const struct file_operations kapi_fops;
int kapi_file_attach(struct file *file, const struct kapi_file_ops *ops, void *device_object);

/* device.c: open() of a device's node. */
int kapi_device_open(struct inode *inode, struct file *file);

#endif /* EVL_KAPI_INTERNAL_H */
