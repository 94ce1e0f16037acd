/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Default per-task state of a companion core: none. A core puts a header of
 * this name earlier in the include path. Every task pays for the size; all
 * bytes are zero in a new task. Included by <asm/thread_info.h>: nothing but
 * plain types here.
 */
#ifndef _DOVETAIL_THREAD_INFO_H
#define _DOVETAIL_THREAD_INFO_H

struct oob_thread_state {
};

#endif /* !_DOVETAIL_THREAD_INFO_H */
