// SPDX-License-Identifier: GPL-2.0
// Monitor: the element behind every user-space synchronization object. A gate is a mutex whose word
// is in the shared heap; an event is what threads wait on, with or without a gate.
#ifndef EVL_SYNC_MONITOR_H
#define EVL_SYNC_MONITOR_H

#include <evl/monitor-abi.h>

#include "element/factory.h"
#include "file/oob_file.h"
#include "sync/mutex.h"

namespace evl {

// Hangs an event on the gate its waiters gave up.
class GateLink : Immovable {
 protected:
  GateLink() noexcept = default;
  ~GateLink() = default;
  ListHook gate_hook_;  // Under the gate's lock.

 public:
  using EventList = List<GateLink, &GateLink::gate_hook_>;
};

// Common to both. Type and protocol are kept here, not in the shared state: user space may not
// change them.
class Monitor : public Element {
 public:
  enum class Type : u8 { event = EVL_MONITOR_EVENT, gate = EVL_MONITOR_GATE };
  [[nodiscard]] Type type() const noexcept { return type_; }
  [[nodiscard]] evl_monitor_state& state() const noexcept { return state_; }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

 protected:
  Monitor(Factory& factory, u32 clone_flags, Type type, const Clock& clock,
          evl_monitor_state& state) noexcept;
  ~Monitor() = default;

 private:
  const Type type_;
  const Clock& clock_;
  evl_monitor_state& state_;
};

// GT1  events_ holds exactly the events that have waiters who gave up this gate; such an event has
//      gate_ == this and publishes the gate's offset.
// GT2  Wake-ups of events and the release of the gate are one step under lock_ and the mutex's.
// Lock order: lock_ (rank monitor), then the event's queue or the mutex (rank wchan), never both.
class Gate final : public Monitor, private MutexHome {
 public:
  Gate(Factory& factory, u32 clone_flags, MutexProtocol protocol, const Clock& clock,
       evl_monitor_state& state) noexcept;

  // Requests ENTER, TRYENTER, EXIT. Errors: those of Mutex; EXIT: EPERM.
  [[nodiscard]] Status enter(const OobStage& oob, Thread& self, Deadline deadline) noexcept;
  [[nodiscard]] Status try_enter(const OobStage& oob, Thread& self) noexcept;
  [[nodiscard]] Status exit(const OobStage& oob, Thread& self) noexcept;

  void flush(InfoFlags reasons) noexcept;  // A file was closed: RMID.
  [[nodiscard]] Mutex& mutex() noexcept { return mutex_; }

 private:
  friend class Event;
  [[nodiscard]] Thread* owner_of(fundle_t fundle) noexcept override;
  void put_owner(Thread& owner) noexcept override;
  [[nodiscard]] fundle_t handle_of(Thread& self) noexcept override;
  [[nodiscard]] int ceiling() noexcept override;
  void wake_signalled_events(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);

  HardSpinLock<LockRank::monitor> lock_;
  Mutex mutex_;
  GateLink::EventList events_ EVL_GUARDED_BY(lock_);
};

// Wait half: condition (gated), counter, or 32 flags.
//   EV1  Gated: all waiters gave up one gate, gate_; nullptr without waiters.
//   EV2  Count: value < 0 says -value waiters are linked, or are about to give their unit back.
//   EV3  Mask: bits are consumed in priority order of the waiters they satisfy, in one step.
class Event final : public Monitor, public GateLink {
 public:
  enum class Protocol : u8 {
    gated = EVL_EVENT_GATED,
    count = EVL_EVENT_COUNT,
    mask = EVL_EVENT_MASK
  };
  enum class Match : bool { any, exact };

  Event(Factory& factory, u32 clone_flags, Protocol protocol, const Clock& clock,
        evl_monitor_state& state) noexcept;

  /// Gated wait: gives up `gate`, sleeps, takes it again unless interrupted. `status` is the result
  /// of the wait itself. Errors: EPERM the caller does not own the gate; EBADFD another gate is in
  /// use; EINTR the gate was not taken again (UNWAIT does that); EIDRM; those of the gate.
  [[nodiscard]] Status wait_gated(const OobStage& oob, Thread& self, Gate& gate, Deadline deadline,
                                  Status& status) noexcept;
  /// Count and mask. `value`: mask in: bits waited for (0: all 32), out: bits received.
  /// Errors: EAGAIN broadcast (count) or nonblock, ETIMEDOUT, EINTR, EIDRM.
  [[nodiscard]] Status wait(const OobStage& oob, Thread& self, Match match, Deadline deadline,
                            s32& value) noexcept;
  [[nodiscard]] Status try_wait(Match match, s32& value) noexcept;  // Any stage. EAGAIN.
  // Any stage. EINVAL: gated, which user space signals in the shared state.
  [[nodiscard]] Status signal(s32 value) noexcept;
  [[nodiscard]] Status broadcast(s32 value) noexcept;

  void flush(InfoFlags reasons) noexcept;  // A file was closed: RMID.
  [[nodiscard]] Protocol protocol() const noexcept { return protocol_; }
  [[nodiscard]] bool invariants_hold() noexcept;

 private:
  friend class Gate;
  void leave_gate(const HardIrqsOff& irqs_off) noexcept;

  WaitQueue queue_;
  Gate* gate_{nullptr};  // Under the gate's lock, and the queue's.
  const Protocol protocol_;
};

extern const ElementClass kMonitorClass;

}  // namespace evl

#endif  // EVL_SYNC_MONITOR_H
