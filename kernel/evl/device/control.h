// SPDX-License-Identifier: GPL-2.0
// /dev/evl/control: opening it is how a process gets the right to attach threads; core information,
// CPU states, the mapping of the shared heap; its sysfs attributes start and stop the core. And
// /dev/evl/trace, the other single device.
#ifndef EVL_DEVICE_CONTROL_H
#define EVL_DEVICE_CONTROL_H

#include <evl/control-abi.h>

#include "element/factory.h"

namespace evl {

extern const ElementClass kControlClass;
extern const ElementClass kTraceClass;
extern const ElementClass kClockClass;

// GET_COREINFO, and GET_CPUSTATE, for which an oob caller waits in-band. EINVAL: bad cpu.
[[nodiscard]] evl_core_info core_info() noexcept;
[[nodiscard]] Result<u32> cpu_state(u32 cpu, const InbandStage& inband) noexcept;

}  // namespace evl

#endif  // EVL_DEVICE_CONTROL_H
