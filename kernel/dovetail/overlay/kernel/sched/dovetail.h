/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the scheduler calls of alternate scheduling. See dovetail.c.
 */
#ifdef CONFIG_DOVETAIL
static int dovetail_block_flags(struct task_struct *p);
static void dovetail_stay_inband(struct task_struct *p);
static void inband_switch_begin(void);
#else
static inline int dovetail_block_flags(struct task_struct *p)
{
	return 0;
}

static inline void dovetail_stay_inband(struct task_struct *p) { }
static inline void inband_switch_begin(void) { }
#endif
