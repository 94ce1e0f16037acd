// SPDX-License-Identifier: GPL-2.0
// Drivers that come with the core. Each is a device in /dev, made at late_initcall by
// evl_on_drivers(), for ever.
#ifndef EVL_DRIVERS_DRIVERS_H
#define EVL_DRIVERS_DRIVERS_H

#include "base/proof.h"
#include "base/result.h"
#include "kapi/file.h"

namespace evl {

// A device /dev/<name> with a class of its own. Stage: inband. Sleeps. Errors: of
// kapi_class_create() and kapi_device_create(): then nothing is left.
[[nodiscard]] Status add_driver(const char* name, const kapi_file_ops& ops,
                                const InbandStage& inband) noexcept;
// The same, of the drivers there are.
[[nodiscard]] Status start_latmus(const InbandStage& inband) noexcept;
[[nodiscard]] Status start_hectic(const InbandStage& inband) noexcept;

}  // namespace evl

#endif  // EVL_DRIVERS_DRIVERS_H
