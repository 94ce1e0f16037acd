/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of the kernel (in-band only) and of user space (either stage). */
#ifndef EVL_KAPI_MEMORY_H
#define EVL_KAPI_MEMORY_H

#include "kapi/base.h"

KAPI_BEGIN_DECLS

/*
 * Zeroed, aligned to KAPI_CACHE_LINE, physically contiguous. Sleeps. NULL when out of memory.
 * The oob side has the core's own heap (memory/heap.h) and objects allocated beforehand.
 */
void *kapi_alloc(size_t bytes);

/*
 * The same where nobody may sleep, aligned as for any scalar; on the account of current's control
 * group. Stage: inband. Irqs: any, no hard lock held.
 */
void *kapi_alloc_nowait(size_t bytes);
void kapi_free(void *block);	/* Stage: inband. NULL is fine. */

/* Zeroed pages in vmalloc space, for the system heap. Sleeps. NULL when out of memory. */
void *kapi_alloc_virtual(size_t bytes);
void kapi_free_virtual(void *block);

/* Zeroed whole pages that kapi_map_shared() can map. `bytes` is a multiple of the page. Sleeps. */
void *kapi_alloc_shared(size_t bytes);
void kapi_free_shared(void *block, size_t bytes);

/* From an mmap handler. Sleeps. Errors: EINVAL the area is not `bytes` long, EAGAIN, ENOMEM. */
int kapi_map_shared(struct kapi_vma *vma, void *block, size_t bytes);

/*
 * Forwards an mmap handler's area to another file (proxy). Sleeps. Errors: of that file, ENODEV, EACCES
 * that file was not opened for such accesses, EPERM it is on a file system mounted noexec.
 */
int kapi_map_forward(struct kapi_vma *vma, struct kapi_file *file);

size_t kapi_page_size(void);

/*
 * User memory of current, by raw copies. Stage: any task context. Irqs: on. No hard lock held.
 *
 * In-band they may sleep on a page fault. Oob they must not fault: user memory is locked. If one
 * faults all the same, Dovetail calls evl_on_trap_entry(), the thread is demoted, the fault is
 * served in-band, and evl_on_trap_exit() brings the thread back: ON RETURN THE CALLER MAY BE ON
 * THE OTHER STAGE (when a signal stopped the way back). Cost: O(bytes).
 * Errors: EFAULT some of it is not accessible; *dst is then undefined, user memory partly written.
 */
int kapi_copy_from_user(void *dst, const void *user_src, size_t bytes);
int kapi_copy_to_user(void *user_dst, const void *src, size_t bytes);

/* Copies a string with its 0. Sleeps. Returns its length. Errors: EFAULT; ENAMETOOLONG; EINVAL "". */
int kapi_copy_name_from_user(char *dst, const void *user_src, size_t capacity);

KAPI_END_DECLS

#endif /* EVL_KAPI_MEMORY_H */
