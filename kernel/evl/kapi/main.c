// SPDX-License-Identifier: GPL-2.0
/*
 * Where Linux starts the core: in-band, after the buses and classes, before drivers that use it.
 */
#include <linux/init.h>

#include "kapi/internal.h"

/* An error is the core's to explain; Linux goes on without it. */
static int __init kapi_boot(void)
{
	int ret;

	kapi_config_init();

	ret = evl_on_boot();
	if (ret)
		kapi_irq_brackets(false);

	return ret;
}
device_initcall(kapi_boot);
