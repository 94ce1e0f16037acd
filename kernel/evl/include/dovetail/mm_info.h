/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the EVL core keeps in each address space. Zero in a new one. Same
 * layout as struct kapi_mm_state, which kapi/task.c asserts.
 */
#ifndef _EVL_DOVETAIL_MM_INFO_H
#define _EVL_DOVETAIL_MM_INFO_H

struct oob_mm_state {
	void *process;
};

#endif /* _EVL_DOVETAIL_MM_INFO_H */
