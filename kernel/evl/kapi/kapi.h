/* SPDX-License-Identifier: GPL-2.0 */
/* The whole boundary, for implementations of it. The core includes the header it needs. */
#ifndef EVL_KAPI_KAPI_H
#define EVL_KAPI_KAPI_H

#include "kapi/base.h"
#include "kapi/clock.h"
#include "kapi/cpu.h"
#include "kapi/device.h"
#include "kapi/file.h"
#include "kapi/inband.h"
#include "kapi/irq.h"
#include "kapi/lock.h"
#include "kapi/memory.h"
#include "kapi/task.h"
#include "kapi/trace.h"
#include "kapi/upcall.h"

#endif /* EVL_KAPI_KAPI_H */
