/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What modules that plant mistakes share: the parameter that chooses one, how
 * it is looked up in the module's own table, and the mistakes that both the
 * pipeline and a companion core have to report.
 *
 * Each mistake is made by a function planted_<mistake>(), which the report has
 * to name.
 */
#ifndef TESTS_TARGET_KMOD_MISTAKE_H
#define TESTS_TARGET_KMOD_MISTAKE_H

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *mistake = "none";
module_param(mistake, charp, 0444);
MODULE_PARM_DESC(mistake, "the one to make, see mistakes.txt");

/* The entry of @table, an array whose entries have a name, or NULL. */
#define find_mistake(table)							\
	({									\
		typeof(&(table)[0]) found = NULL;				\
										\
		for (size_t n = 0; n < ARRAY_SIZE(table) && !found; n++)	\
			if (!strcmp((table)[n].name, mistake))			\
				found = &(table)[n];				\
		if (found)							\
			pr_info("about to make mistake %s\n", mistake);		\
		else								\
			pr_err("no such mistake: %s\n", mistake);		\
		found;								\
	})

static DEFINE_MUTEX(inband_mutex);

/* In-band services, called out-of-band. */
static noinline void planted_none(void)
{
	barrier();
}

static noinline void planted_kmalloc(void)
{
	kfree(kmalloc(64, GFP_KERNEL));
}

static noinline void planted_mutex(void)
{
	mutex_lock(&inband_mutex);
	mutex_unlock(&inband_mutex);
}

#endif /* TESTS_TARGET_KMOD_MISTAKE_H */
