// SPDX-License-Identifier: GPL-2.0
#include "drivers/drivers.h"

#include "boot/core.h"
#include "kapi/device.h"
#include "kapi/upcall.h"

namespace evl {

Status add_driver(const char* name, const kapi_file_ops& ops, const InbandStage&) noexcept {
  kapi_class* device_class{};
  (void)EVL_TRY(status_of(kapi_class_create(name, 1, &device_class)));
  kapi_device_setup setup{};
  setup.cls = device_class;
  setup.name = name;
  setup.ops = &ops;
  setup.in_dev = true;
  kapi_device* device{};
  const Status status = status_of(kapi_device_create(&setup, &device));
  if (!status.ok()) kapi_class_destroy(device_class);
  return status;
}

}  // namespace evl

using namespace evl;  // NOLINT(google-build-using-namespace): an upcall is the outermost function.

// A driver that cannot start is missed by its tool alone: the others, and the core, go on.
void evl_on_drivers() {
  if (!core_is_up()) return;
  [[maybe_unused]] const InbandStage inband = InbandStage::at_entry();
#ifdef CONFIG_EVL_LATMUS
  if (const Status status = start_latmus(inband); !status.ok())
    kapi_print(KAPI_ERROR, "no latmus driver: %ld", code_of(status));
#endif
#ifdef CONFIG_EVL_HECTIC
  if (const Status status = start_hectic(inband); !status.ok())
    kapi_print(KAPI_ERROR, "no hectic driver: %ld", code_of(status));
#endif
}
