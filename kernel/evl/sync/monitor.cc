// SPDX-License-Identifier: GPL-2.0
// The class of monitors: creation, requests on their files, their sysfs attribute.
#include "sync/monitor.h"

#include "boot/core.h"
#include "element/element_file.h"
#include "thread/thread_element.h"
#include "time/clock_element.h"

namespace evl {
namespace {

// ---- Life ----

Result<Element*> build(Factory& factory, UserBytes attrs, u32 clone_flags, u32& state_offset,
                       const InbandStage& inband) noexcept {
  evl_monitor_attrs wanted{};
  if (attrs.is_null()) return Errno::inval;
  (void)EVL_TRY(attrs.read(&wanted, sizeof(wanted)));
  const Clock* const clock = EVL_TRY(clock_behind(static_cast<int>(wanted.clockfd)));
  const bool is_gate = wanted.type == EVL_MONITOR_GATE;
  const bool protects = is_gate && wanted.protocol == EVL_GATE_PP;
  if (is_gate) {
    if (!protects && (wanted.protocol != EVL_GATE_PI || wanted.initval != 0)) return Errno::inval;
    if (protects && (wanted.initval < EVL_FIFO_MIN_PRIO || wanted.initval > EVL_FIFO_MAX_PRIO))
      return Errno::inval;
  } else if (wanted.type != EVL_MONITOR_EVENT || wanted.protocol != EVL_EVENT_GATED) {
    return Errno::inval;
  }
  auto* const state = core().shared_heap().alloc<evl_monitor_state>(inband);
  if (state == nullptr) return Errno::again;
  Element* made = nullptr;
  if (is_gate) {
    state->u.gate.ceiling = wanted.initval;
    made = create<Gate>(inband, factory, clone_flags,
                        protects ? MutexProtocol::protect : MutexProtocol::inherit, *clock, *state);
  } else {
    state->u.event.value = wanted.initval;
    state->u.event.gate_offset = EVL_MONITOR_NOGATE;
    made = create<Event>(inband, factory, clone_flags, *clock, *state);
  }
  if (made == nullptr) {
    core().shared_heap().free(state, inband);
    return Errno::nomem;
  }
  state_offset = core().shared_heap().offset_of(state);
  return made;
}

void dispose(Element& element, const InbandStage& inband) noexcept {
  auto& monitor = static_cast<Monitor&>(element);
  evl_monitor_state* const state = &monitor.state();
  if (monitor.type() == Monitor::Type::gate) {
    auto& gate = static_cast<Gate&>(monitor);
    gate.destroy();
    schedule();
    discard(inband, &gate);
  } else {
    discard(inband, &static_cast<Event&>(monitor));
  }
  core().shared_heap().free(state, inband);
}

void release(void* object, kapi_file* file) {
  ElementFile::begin_release(object);
  auto& monitor = ElementFile::element<Monitor>(object);
  if (monitor.type() == Monitor::Type::gate)
    static_cast<Gate&>(monitor).flush(ThreadInfo::rmid);
  else
    static_cast<Event&>(monitor).flush(ThreadInfo::rmid);
  schedule();
  ElementFile::release(object, file);
}

// ---- Requests, oob ----

Result<Gate*> gate_behind(const FileRef& file) noexcept;

Status enter(Gate& gate, unsigned long arg) noexcept {
  const OobStage oob = OobStage::at_entry();
  const __evl_timespec timeout = EVL_TRY(UserPtr<__evl_timespec>{arg}.read(oob));
  const Deadline deadline = EVL_TRY(Deadline::from(timeout));
  return gate.enter(oob, *current_thread(), deadline);
}

Status wait(Event& event, unsigned long arg) noexcept {
  const OobStage oob = OobStage::at_entry();
  const auto request = EVL_TRY(UserPtr<evl_monitor_waitreq>{arg}.read(oob));
  Deadline deadline = Deadline::never();
  if (request.timeout_ptr != 0) {
    const auto timeout = EVL_TRY(UserPtr<__evl_timespec>::from(request.timeout_ptr).read(oob));
    deadline = EVL_TRY(Deadline::from(timeout));
  }
  const FileRef file{core().files().get(static_cast<unsigned>(request.gatefd))};
  Gate* const gate = EVL_TRY(gate_behind(file));
  const Thread::Serving serving{*current_thread(), file.get()};
  s32 status = 0;
  const Status result = event.wait(oob, *current_thread(), *gate, deadline, status);
  const bool waited = !result.is(Errno::perm) && !result.is(Errno::badfd);
  if (waited) {
    const UserBytes out{arg + offsetof(evl_monitor_waitreq, status)};
    (void)EVL_TRY(out.write(&status, sizeof(status)));
  }
  return result;
}

Status unwait(unsigned long arg) noexcept {
  const OobStage oob = OobStage::at_entry();
  const auto request = EVL_TRY(UserPtr<evl_monitor_unwaitreq>{arg}.read(oob));
  const FileRef file{core().files().get(static_cast<unsigned>(request.gatefd))};
  Gate* const gate = EVL_TRY(gate_behind(file));
  const Thread::Serving serving{*current_thread(), file.get()};
  return gate->enter(oob, *current_thread(), Deadline::never());
}

Status serve_gate(Gate& gate, unsigned cmd, unsigned long arg) noexcept {
  switch (cmd) {
    case EVL_MONIOC_ENTER:
      return enter(gate, arg);
    case EVL_MONIOC_TRYENTER:
      return gate.try_enter(OobStage::at_entry(), *current_thread());
    case EVL_MONIOC_EXIT:
      return gate.exit(OobStage::at_entry(), *current_thread());
    case EVL_MONIOC_WAIT:
    case EVL_MONIOC_UNWAIT:
    case EVL_MONIOC_WAIT_EXACT:
      return Errno::inval;
    default:
      return Errno::notty;
  }
}

Status serve_event(Event& event, unsigned cmd, unsigned long arg) noexcept {
  switch (cmd) {
    case EVL_MONIOC_WAIT:
      return wait(event, arg);
    case EVL_MONIOC_UNWAIT:
      return unwait(arg);
    case EVL_MONIOC_ENTER:
    case EVL_MONIOC_TRYENTER:
    case EVL_MONIOC_EXIT:
    case EVL_MONIOC_WAIT_EXACT:  // Protocol MASK.
      return Errno::inval;
    default:
      return Errno::notty;
  }
}

// On both stages: what belongs to the protocols COUNT and MASK.
bool is_of_other_protocols(unsigned cmd) noexcept {
  return cmd == EVL_MONIOC_SIGNAL || cmd == EVL_MONIOC_BROADCAST || cmd == EVL_MONIOC_TRYWAIT ||
         cmd == EVL_MONIOC_TRYWAIT_EXACT;
}

long oob_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  if (is_of_other_protocols(cmd)) return -EINVAL;
  auto& monitor = ElementFile::element<Monitor>(object);
  if (monitor.type() == Monitor::Type::gate)
    return code_of(serve_gate(static_cast<Gate&>(monitor), cmd, arg));
  return code_of(serve_event(static_cast<Event&>(monitor), cmd, arg));
}

// ---- Requests, in-band ----

long ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  if (is_of_other_protocols(cmd)) return -EINVAL;
  if (cmd != EVL_MONIOC_BIND) return -ENOTTY;
  auto& monitor = ElementFile::element<Monitor>(object);
  evl_monitor_binding binding{};
  binding.type = static_cast<u32>(monitor.type()) & 3U;
  if (monitor.type() == Monitor::Type::gate &&
      static_cast<Gate&>(monitor).mutex().protocol() == MutexProtocol::protect)
    binding.protocol = EVL_GATE_PP;
  binding.eids.minor = monitor.minor();
  binding.eids.fundle = monitor.fundle();
  binding.eids.state_offset = core().shared_heap().offset_of(&monitor.state());
  return code_of(UserPtr<evl_monitor_binding>{arg}.write(binding));
}

// ---- sysfs ----

long show_gate(Gate& gate, char* buf, size_t capacity) noexcept {
  int pid = -1;
  const fundle_t owner = gate.mutex().owner_handle();
  if (Element* const found = core().threads().index().find(owner); found != nullptr) {
    const auto element = Ref<ThreadElement>::adopt(static_cast<ThreadElement&>(*found));
    pid = kapi_task_pid(element->thread().task());
  }
  const u32 nesting = pid < 0 ? 0 : gate.state().u.gate.nesting;
  const u32 ceiling = SharedWord{gate.state().u.gate.ceiling}.load_relaxed();
  return kapi_format(buf, capacity, "%d %u %u\n", pid, ceiling, nesting);
}

long show_state(void* object, char* buf, size_t capacity) {
  auto& monitor = static_cast<Monitor&>(*static_cast<Element*>(object));
  if (monitor.type() == Monitor::Type::gate)
    return show_gate(static_cast<Gate&>(monitor), buf, capacity);
  const u32 flags = SharedWord{monitor.state().flags}.load_relaxed();
  return kapi_format(buf, capacity, "%#x\n", flags);
}

constexpr kapi_attribute kAttributes[] = {
    {.name = "state", .mode = 0444, .show = show_state, .store = nullptr},
    {.name = nullptr, .mode = 0, .show = nullptr, .store = nullptr},
};

constexpr kapi_file_ops kOps = {
    .open = ElementFile::open,
    .release = release,
    .ioctl = ioctl,
    .oob_ioctl = oob_ioctl,
};

// The monitor behind a descriptor of a request. EBADF; EINVAL not of this type.
Result<Monitor*> monitor_behind(const FileRef& file, Monitor::Type type) noexcept {
  if (!file) return Errno::badf;
  void* const object = file.object<void>(kOps);
  if (object == nullptr) return Errno::inval;
  auto& monitor = ElementFile::element<Monitor>(object);
  if (monitor.type() != type) return Errno::inval;
  return &monitor;
}

Result<Gate*> gate_behind(const FileRef& file) noexcept {
  return static_cast<Gate*>(EVL_TRY(monitor_behind(file, Monitor::Type::gate)));
}

}  // namespace

Status signal_waiter(unsigned event_fd, Thread& target) noexcept {
  const FileRef file{core().files().get(event_fd)};
  auto* const event = static_cast<Event*>(EVL_TRY(monitor_behind(file, Monitor::Type::event)));
  event->aim_at(target);
  return kOk;
}

constinit const ElementClass kMonitorClass = {
    .name = EVL_MONITOR_DEV,
    .shape = ElementClass::Shape::clonable,
    .has_fundles = true,
    .clone_flags = 0,
    .build = build,
    .dispose = dispose,
    .ops = &kOps,
    .attributes = kAttributes,
};

}  // namespace evl
