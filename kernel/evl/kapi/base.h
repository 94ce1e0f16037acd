/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every kapi header starts with: scalar types, opaque handles, linkage.
 *
 * kapi is the only place where the core and Linux meet. Its headers are read by C and by C++,
 * include nothing of Linux but the uapi's scalar types, and have two implementations: the .c files
 * beside them (kernel), and tests/sim/kapi (simulator).
 *
 * How to read a declaration:
 *   Stage:  inband, oob, or any.
 *   Irqs:   state of the CPU's (hard) interrupts on entry: on, off, any. Left as found unless said.
 *   Cost:   O(1) when nothing is said; "sleeps" means it may block in-band, thus Stage: inband,
 *           Irqs: on, preemptible task context, no hard lock held.
 *   Errors: negative errno values; a function without the line cannot fail.
 */
#ifndef EVL_KAPI_BASE_H
#define EVL_KAPI_BASE_H

#include <linux/types.h>	/* C: the kernel's. C++: the uapi one. Both give __u64. */
#include <kapi-platform.h>	/* By the implementation: sizes and kapi_shared_access(). */

#ifdef __cplusplus
#include <stddef.h>
#define KAPI_ALIGNAS(bytes) alignas(bytes)
#define KAPI_BEGIN_DECLS _Pragma("GCC visibility push(default)") extern "C" {
#define KAPI_END_DECLS } _Pragma("GCC visibility pop")
#else
#define KAPI_ALIGNAS(bytes) _Alignas(bytes)
#define KAPI_BEGIN_DECLS
#define KAPI_END_DECLS
#endif

/* A member that a table may leave out. In C that is so anyway. */
#ifdef __cplusplus
#define KAPI_OPTIONAL = nullptr
#else
#define KAPI_OPTIONAL
#endif

/* Arguments are checked against the format, in both languages. */
#define KAPI_PRINTF(format, first) __attribute__((__format__(printf, format, first)))

/* A kernel object embedded by value in an object of the core; only the C side knows its type. */
#define KAPI_OPAQUE(name)						\
	struct name {							\
		KAPI_ALIGNAS(KAPI_ALIGN_##name)				\
		unsigned char opaque[KAPI_SIZE_##name];			\
	}

/* Handles: never completed on the core's side. */
struct kapi_task;	/* struct task_struct */
struct kapi_file;	/* struct file */
struct kapi_files;	/* struct files_struct: identity only */
struct kapi_vma;	/* struct vm_area_struct */
struct kapi_class;	/* a device class with its range of minors */
struct kapi_device;	/* a device: node (when public) and sysfs folder */
struct kapi_workqueue;	/* struct workqueue_struct */
struct kapi_poll_table;	/* struct poll_table_struct */

#endif /* EVL_KAPI_BASE_H */
