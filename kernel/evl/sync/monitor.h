// SPDX-License-Identifier: GPL-2.0
// Monitor: the element behind every user-space synchronization object. A gate is a mutex whose word
// is in the shared heap; an event is what threads wait on.
#ifndef EVL_SYNC_MONITOR_H
#define EVL_SYNC_MONITOR_H

#include <evl/monitor-abi.h>

#include "element/factory.h"
#include "file/oob_file.h"
#include "sync/mutex.h"

namespace evl {

class Event;

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

  // A file was closed: RMID, to those who wait for the gate or gave it up. The caller reschedules.
  void flush(InfoFlags reasons) noexcept;
  void destroy() noexcept { mutex_.destroy(); }  // No file is left.
  [[nodiscard]] Mutex& mutex() noexcept { return mutex_; }

 private:
  friend class Event;
  [[nodiscard]] Thread* owner_of(fundle_t fundle) noexcept override;
  void put_owner(Thread& owner) noexcept override;
  [[nodiscard]] fundle_t handle_of(Thread& self) noexcept override;
  [[nodiscard]] int ceiling() noexcept override;
  // Acts on the signals since the gate was taken. `keep` stays bound without waiters.
  void release(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);
  void serve_events(Event* keep, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(lock_);

  HardSpinLock<LockRank::monitor> lock_;
  Mutex mutex_;
  GateLink::EventList events_ EVL_GUARDED_BY(lock_);
};

// Wait half of a condition variable: protocol GATED. COUNT and MASK come later; creating them is
// EINVAL.
//   EV1  All waiters gave up one gate, gate_. It is nullptr without waiters, but for a moment: a
//        waiter that is leaving clears it.
class Event final : public Monitor, public GateLink {
 public:
  Event(Factory& factory, u32 clone_flags, const Clock& clock, evl_monitor_state& state) noexcept;

  /// Gives up `gate`, sleeps, takes it again unless interrupted: see the table "What MONIOC_WAIT
  /// reports" in Documentation/library/abi.md. `status`: -errno of the wait itself, or 0.
  /// Errors: EPERM the caller does not own the gate; EBADFD another gate is in use; EINTR the gate
  /// was not taken again (UNWAIT does that); EIDRM; those of the gate.
  [[nodiscard]] Status wait(const OobStage& oob, Thread& self, Gate& gate, Deadline deadline,
                            s32& status) noexcept;
  /// THRIOC_SIGNAL, by the owner of the gate: `target` is woken when the gate is released, if it
  /// waits here. Any stage.
  void aim_at(Thread& target) noexcept;

  void flush(InfoFlags reasons) noexcept;  // A file was closed: RMID. The caller reschedules.
  [[nodiscard]] bool invariants_hold() noexcept;

 private:
  friend class Gate;
  // Is the event used with no gate, or this one? Then it is from here on.
  [[nodiscard]] bool join(Gate& gate, const HardIrqsOff& irqs_off) noexcept
      EVL_REQUIRES(gate.lock_);
  // Wakes whom the flags say. True: nobody waits any more.
  [[nodiscard]] bool serve(const HardIrqsOff& irqs_off) noexcept;
  // Ends the bond with gate_, under its lock, when nobody waits.
  void part(Gate& gate, const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(gate.lock_);

  WaitQueue queue_;
  Gate* gate_{nullptr};  // Written under the gate's lock and the queue's, read under either.
};

// THRIOC_SIGNAL on the event behind a descriptor. Any stage. Errors: EBADF; EINVAL not an event.
[[nodiscard]] Status signal_waiter(unsigned event_fd, Thread& target) noexcept;

extern const ElementClass kMonitorClass;

}  // namespace evl

#endif  // EVL_SYNC_MONITOR_H
