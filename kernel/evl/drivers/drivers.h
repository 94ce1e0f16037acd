// SPDX-License-Identifier: GPL-2.0
// Drivers that come with the core. Each is a device in /dev, made at late_initcall by
// evl_on_drivers(), for ever.
#ifndef EVL_DRIVERS_DRIVERS_H
#define EVL_DRIVERS_DRIVERS_H

#include "base/proof.h"
#include "base/result.h"

namespace evl {

// Stage: inband. Sleeps. Errors: of kapi_class_create() and kapi_device_create().
[[nodiscard]] Status start_latmus(const InbandStage& inband) noexcept;
[[nodiscard]] Status start_hectic(const InbandStage& inband) noexcept;

}  // namespace evl

#endif  // EVL_DRIVERS_DRIVERS_H
