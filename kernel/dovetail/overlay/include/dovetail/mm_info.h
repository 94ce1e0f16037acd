/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Default per-process state of a companion core: none. A core puts a header
 * of this name earlier in the include path. All bytes are zero in a new mm.
 */
#ifndef _DOVETAIL_MM_INFO_H
#define _DOVETAIL_MM_INFO_H

struct oob_mm_state {
};

#endif /* !_DOVETAIL_MM_INFO_H */
