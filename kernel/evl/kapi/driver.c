// SPDX-License-Identifier: GPL-2.0
/*
 * Where Linux starts the drivers of the core: in-band, when everything they may need is there.
 */
#include <linux/init.h>

#include "kapi/internal.h"

static int __init start_drivers(void)
{
	evl_on_drivers();

	return 0;
}
late_initcall(start_drivers);
