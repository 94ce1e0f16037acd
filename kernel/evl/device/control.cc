// SPDX-License-Identifier: GPL-2.0
// The control device: files of processes, requests on them, and the attributes that show and change
// the state of the core.
#include "device/control.h"

#include "base/in_place.h"
#include "boot/core.h"
#include "sync/work.h"
#include "thread/process.h"

namespace evl {
namespace {

// An open file; oob too, for GET_CPUSTATE.
struct ControlFile final : Immovable {
  explicit ControlFile(kapi_file* of) noexcept : file{of} {}
  OobFile file;
};

int open(void*, kapi_file* file, void** object) {
  const InbandStage inband = InbandStage::at_entry();
  const Status status = Process::open_current(inband);
  if (!status.ok()) return static_cast<int>(code_of(status));
  auto* const made = create<ControlFile>(inband, file);
  if (made == nullptr) return -ENOMEM;
  *object = made;
  return 0;
}

void release(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  auto* const file = static_cast<ControlFile*>(object);
  file->file.release(inband);
  discard(inband, file);
}

Status get_cpu_state(unsigned long arg) noexcept {
  const auto request = EVL_TRY(UserPtr<evl_cpu_state>{arg}.read());
  Result<long> state{Errno::intr};
  if (kapi_running_oob())
    state = call_inband(
        OobStage::at_entry(), *current_thread(),
        [](unsigned long cpu) noexcept {
          return code_of(cpu_state(static_cast<u32>(cpu), InbandStage::at_entry()));
        },
        request.cpu);
  else
    state = code_of(cpu_state(request.cpu, InbandStage::at_entry()));
  const long value = EVL_TRY(state);
  if (value < 0) return status_of(value);
  return UserPtr<u32>::from(request.state_ptr).write(static_cast<u32>(value));
}

// Of the policies there are none has controls; those that would are not built.
Status control_policy(unsigned long arg) noexcept {
  constexpr s32 kQuota = 44;
  constexpr s32 kPartitions = 45;
  const auto request = EVL_TRY(UserPtr<evl_sched_ctlreq>{arg}.read());
  const bool not_built = request.policy == kQuota || request.policy == kPartitions;
  return not_built ? Errno::opnotsupp : Errno::inval;
}

long oob_ioctl(void*, kapi_file*, unsigned cmd, unsigned long arg) {
  switch (cmd) {
    case EVL_CTLIOC_GET_CPUSTATE:
      return code_of(get_cpu_state(arg));
    case EVL_CTLIOC_SCHEDCTL:
      return code_of(control_policy(arg));
    default:
      return -ENOTTY;
  }
}

long ioctl(void* object, kapi_file* file, unsigned cmd, unsigned long arg) {
  if (cmd == EVL_CTLIOC_GET_COREINFO)
    return code_of(UserPtr<evl_core_info>{arg}.write(core_info()));
  return oob_ioctl(object, file, cmd, arg);
}

int mmap(void*, kapi_file*, kapi_vma* vma) {
  SharedHeap& heap = core().shared_heap();
  return kapi_map_shared(vma, heap.pages(), heap.size());
}

// ---- sysfs ----

long show_abi(void*, char* buf, size_t capacity) {
  return kapi_format(buf, capacity, "%d\n", EVL_ABI_LEVEL);
}

long show_cpus(void*, char* buf, size_t capacity) {
  const long length = kapi_print_cpus(core().oob_cpus().raw(), buf, capacity - 1);
  return length + kapi_format(buf + length, capacity - static_cast<size_t>(length), "\n");
}

long show_state(void*, char* buf, size_t capacity) {
  static constexpr const char* kNames[] = {"disabled", "stopped", "warmup", "running", "teardown"};
  const auto state = static_cast<unsigned>(core().state());
  return kapi_format(buf, capacity, "%s\n", state < std::size(kNames) ? kNames[state] : "?");
}

// Does `text` say `word`, but for the end of the line?
bool says(const char* text, const char* word) noexcept {
  while (*word != '\0')
    if (*text++ != *word++) return false;
  return *text == '\0' || (*text == '\n' && text[1] == '\0');
}

long store_state(void*, const char* text, size_t bytes) {
  const InbandStage inband = InbandStage::at_entry();
  Status status = Errno::inval;
  if (says(text, "start")) status = core().start(inband);
  if (says(text, "stop")) status = core().stop(inband);
  return status.ok() ? static_cast<long>(bytes) : code_of(status);
}

constexpr kapi_attribute kAttributes[] = {
    {.name = "abi", .mode = 0444, .show = show_abi, .store = nullptr},
    {.name = "cpus", .mode = 0444, .show = show_cpus, .store = nullptr},
    {.name = "state", .mode = 0644, .show = show_state, .store = store_state},
    {.name = nullptr, .mode = 0, .show = nullptr, .store = nullptr},
};

constexpr kapi_file_ops kOps = {
    .open = open,
    .release = release,
    .ioctl = ioctl,
    .mmap = mmap,
    .oob_ioctl = oob_ioctl,
};

}  // namespace

evl_core_info core_info() noexcept {
  evl_core_info info{};
  info.abi_base = EVL_ABI_BASE;
  info.abi_current = EVL_ABI_LEVEL;
  info.shm_size = core().shared_heap().size();
  return info;
}

Result<u32> cpu_state(u32 cpu, const InbandStage& inband) noexcept {
  if (!CpuSet::of(KAPI_CPUS_POSSIBLE, inband).has(cpu)) return Errno::inval;
  u32 state = 0;
  if (core().oob_cpus().has(cpu)) state |= EVL_CPU_OOB;
  if (CpuSet::of(KAPI_CPUS_ISOLATED, inband).has(cpu)) state |= EVL_CPU_ISOL;
  if (!CpuSet::of(KAPI_CPUS_ONLINE, inband).has(cpu)) state |= EVL_CPU_OFFLINE;
  return state;
}

constinit const ElementClass kControlClass = {
    .name = "control",
    .shape = ElementClass::Shape::single,
    .has_fundles = false,
    .clone_flags = 0,
    .build = nullptr,
    .dispose = nullptr,
    .ops = &kOps,
    .attributes = kAttributes,
};

}  // namespace evl
