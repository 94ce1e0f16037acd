// SPDX-License-Identifier: GPL-2.0
// /dev/hectic: lets threads of every kind switch to each other, on one CPU per open file. Exactly
// one task of a file runs at a time, the others wait in SWITCH_TO or PEND, each on the stage that
// it called from; who runs names the next. That is how each kind of switch is provoked in turn:
//
//      from \ to    oob task             in-band task
//      oob          raise its flag       irq_work, then its in-band queue
//      in-band      raise its flag       its in-band queue
//
// The FPU registers are checked by the threads of user space, before and after; the driver's own
// kernel threads have none.
#include <evl/devices/hectic.h>

#include "base/in_place.h"
#include "base/user_ptr.h"
#include "boot/core.h"
#include "drivers/drivers.h"
#include "sync/stax.h"
#include "thread/thread_element.h"

namespace evl {

namespace {

constexpr u32 kMaxTasks = 1'024;
constexpr u32 kMaxPause_us = 1'000'000;
constexpr int kKernelTaskPrio = 1;

class Hectic;

// One that takes part. HT1: oob_ says where the task waits, or where it waited last, or, before
// that, where it will wait first; the task itself writes it, before it wakes the next one. A
// wake-up that comes before the task waits is remembered on that stage: by the flag, or as a token.
class HecticTask final : Immovable {
 public:
  HecticTask(Hectic& owner, u32 index, Stage first_wait) noexcept;

  [[nodiscard]] Status wait(const OobStage& oob, Thread& self) noexcept;
  [[nodiscard]] Status wait(const InbandStage& inband) noexcept;
  void will_wait(Stage stage) noexcept { oob_.store_release(stage == Stage::oob); }
  // Any stage. From oob, the caller schedules: by its own wait.
  void wake() noexcept;
  // In-band: who waits there.
  void post() noexcept;
  void flush() noexcept { flag_.flush(ThreadInfo::rmid); }
  void sync() noexcept { kapi_irq_work_sync(&wake_work_); }

  Hectic& owner;
  const u32 index;
  KernelThread thread;

 private:
  static void on_wake(kapi_irq_work* work) noexcept;
  static bool take_token(void* self) noexcept;

  Flag flag_{"hectic"};
  Atomic<bool> oob_{false};
  Atomic<u32> tokens_{0};
  kapi_waitq inband_waiters_{};
  kapi_irq_work wake_work_{};
};

// An open /dev/hectic.
//   HC1  tasks_ and nr_tasks_ are set once; tasks below nr_registered_ are constant from then on.
class Hectic final : Immovable {
 public:
  explicit Hectic(kapi_file* file) noexcept;

  [[nodiscard]] Status set_tasks_count(u32 count, const InbandStage& inband) noexcept;
  [[nodiscard]] Status set_cpu(u32 cpu, const InbandStage& inband) noexcept;
  [[nodiscard]] Status set_pause(u32 pause_us, const InbandStage& inband) noexcept;
  [[nodiscard]] Status add_user_task(UserPtr<hectic_task_index> task,
                                     const InbandStage& inband) noexcept;
  [[nodiscard]] Status add_kernel_task(UserPtr<hectic_task_index> task,
                                       const InbandStage& inband) noexcept;
  // `Proof`: of the stage of the caller.
  template <typename Proof>
  [[nodiscard]] Status pend(const Proof& here, u32 index) noexcept;
  template <typename Proof>
  [[nodiscard]] Status switch_to(const Proof& here, hectic_switch_req request) noexcept;
  // Requests that both stages have; ENOTTY: another one.
  template <typename Proof>
  [[nodiscard]] Status common_request(const Proof& here, unsigned cmd, unsigned long arg) noexcept;
  void release(const InbandStage& inband) noexcept;

 private:
  static void on_pause_over(Timer& timer, const HardIrqsOff& irqs_off) noexcept;
  static void kernel_body(const OobStage& oob, void* argument) noexcept;
  [[nodiscard]] HecticTask* task(u32 index) noexcept;
  [[nodiscard]] Result<u32> add_task(Stage first_wait, const InbandStage& inband) noexcept
      EVL_REQUIRES(mutex_);
  [[nodiscard]] u32 note_switch(hectic_switch_req request) noexcept;
  void wake(HecticTask& next) noexcept;
  // EINTR: what led here has been done, PEND goes on waiting; Linux may not begin it again.
  [[nodiscard]] Status wait(const OobStage& oob, HecticTask& from) noexcept {
    Thread& self = *current_thread();
    self.set_local(LocalInfo::norst);
    return from.wait(oob, self);
  }
  [[nodiscard]] Status wait(const InbandStage& inband, HecticTask& from) noexcept {
    const Status status = from.wait(inband);
    return status.is(Errno::restartsys) ? Status{Errno::intr} : status;
  }

  OobFile oob_file_;
  InbandMutex mutex_;
  HecticTask** tasks_{nullptr};
  u32 nr_tasks_{0};
  Atomic<u32> nr_registered_{0};
  Cpu cpu_{core().oob_cpus().first()};
  Stax stax_{"hectic"};

  // Of who runs, thus one writer at a time; the wake-up orders it.
  u32 switches_{0};
  hectic_switch_req last_switch_{};

  // A pause before each switch.
  Atomic<u32> pause_us_{0};
  Atomic<HecticTask*> next_{nullptr};
  InPlace<Timer> pause_timer_;
};

HecticTask::HecticTask(Hectic& of, u32 number, Stage first_wait) noexcept
    : owner{of}, index{number} {
  will_wait(first_wait);
  kapi_waitq_init(&inband_waiters_);
  kapi_irq_work_init(&wake_work_, on_wake);
}

Status HecticTask::wait(const OobStage& oob, Thread& self) noexcept {
  return flag_.wait(oob, self, Deadline::never());
}

Status HecticTask::wait(const InbandStage&) noexcept {
  return status_of(kapi_waitq_wait(&inband_waiters_, take_token, this));
}

bool HecticTask::take_token(void* self) noexcept {
  Atomic<u32>& tokens = static_cast<HecticTask*>(self)->tokens_;
  u32 found = tokens.load_relaxed();
  while (found != 0) {  // One round per other taker: there is one waiter.
    if (tokens.compare_exchange(found, found - 1)) return true;
  }
  return false;
}

void HecticTask::post() noexcept {
  tokens_.fetch_add(1);
  kapi_waitq_wake_all(&inband_waiters_);
}

void HecticTask::on_wake(kapi_irq_work* work) noexcept {
  owner_of<HecticTask, &HecticTask::wake_work_>(*work).post();
}

void HecticTask::wake() noexcept {
  if (oob_.load_acquire()) {  // Pairs with the release in will_wait().
    if (kapi_running_oob())
      flag_.raise_nosched();
    else
      flag_.raise();
  } else if (kapi_running_oob()) {
    kapi_irq_work_queue(&wake_work_);
  } else {
    post();
  }
}

Hectic::Hectic(kapi_file* file) noexcept : oob_file_{file} {}

HecticTask* Hectic::task(u32 index) noexcept {
  // Pairs with the release in add_task().
  return index < nr_registered_.load_acquire() ? tasks_[index] : nullptr;
}

Status Hectic::set_tasks_count(u32 count, const InbandStage& inband) noexcept {
  if (count == 0 || count > kMaxTasks) return Errno::inval;
  InbandLockGuard guard{mutex_, inband};
  if (tasks_ != nullptr) return Errno::busy;
  tasks_ = static_cast<HecticTask**>(kapi_alloc(count * sizeof(HecticTask*)));
  if (tasks_ == nullptr) return Errno::nomem;
  nr_tasks_ = count;
  return kOk;
}

Status Hectic::set_cpu(u32 cpu, const InbandStage& inband) noexcept {
  if (!core().oob_cpus().has(cpu)) return Errno::inval;
  InbandLockGuard guard{mutex_, inband};
  if (nr_registered_.load_relaxed() != 0 || pause_timer_.built()) return Errno::busy;
  cpu_ = cpu;
  return kOk;
}

Status Hectic::set_pause(u32 pause_us, const InbandStage& inband) noexcept {
  if (pause_us > kMaxPause_us) return Errno::inval;
  InbandLockGuard guard{mutex_, inband};
  if (!pause_timer_.built())
    pause_timer_.build(core().monotonic(), core().timer_bases().on(cpu_), Gravity::kernel,
                       on_pause_over, "hectic");
  pause_us_.store_release(pause_us);
  return kOk;
}

Result<u32> Hectic::add_task(Stage first_wait, const InbandStage& inband) noexcept {
  const u32 index = nr_registered_.load_relaxed();
  if (index >= nr_tasks_) return Errno::busy;
  HecticTask* const added = create<HecticTask>(inband, *this, index, first_wait);
  if (added == nullptr) return Errno::nomem;
  tasks_[index] = added;
  nr_registered_.store_release(index + 1);  // Pairs with the acquire in task().
  return index;
}

Status Hectic::add_user_task(UserPtr<hectic_task_index> where, const InbandStage& inband) noexcept {
  hectic_task_index task_index = EVL_TRY(where.read());
  const bool waits_oob = (task_index.flags & HECTIC_OOB_WAIT) != 0;
  InbandLockGuard guard{mutex_, inband};
  task_index.index = EVL_TRY(add_task(waits_oob ? Stage::oob : Stage::inband, inband));
  return where.write(task_index);
}

Status Hectic::add_kernel_task(UserPtr<hectic_task_index> where,
                               const InbandStage& inband) noexcept {
  hectic_task_index task_index = EVL_TRY(where.read());
  InbandLockGuard guard{mutex_, inband};
  const u32 index = EVL_TRY(add_task(Stage::oob, inband));  // Whatever the flags say.
  task_index.index = index;
  (void)EVL_TRY(where.write(task_index));
  char name[48];
  kapi_format(name, sizeof(name), "rtk%u@%u:%d", index, cpu_, kapi_task_pid(kapi_current()));
  // Without its thread the task stays registered: the file is of no use any more.
  return tasks_[index]->thread.run(kernel_body, tasks_[index], cpu_, kKernelTaskPrio, name, inband);
}

// To oneself means: back to who switched to me.
u32 Hectic::note_switch(hectic_switch_req request) noexcept {
  if (request.to == request.from) request.to = last_switch_.from;
  last_switch_ = request;
  ++switches_;
  return request.to;
}

void Hectic::on_pause_over(Timer& timer, const HardIrqsOff&) noexcept {
  auto* const storage = reinterpret_cast<InPlace<Timer>*>(&timer);  // Its first member.
  Hectic& self = owner_of<Hectic, &Hectic::pause_timer_>(*storage);
  if (HecticTask* const next = self.next_.exchange(nullptr)) next->wake();
}

void Hectic::wake(HecticTask& next) noexcept {
  const u32 pause_us = pause_us_.load_acquire();
  if (pause_us == 0) {
    next.wake();
    return;
  }
  next_.store_release(&next);
  pause_timer_->start(core().monotonic().now() + Duration::us(pause_us), Duration{});
}

template <typename Proof>
Status Hectic::pend(const Proof& here, u32 index) noexcept {
  HecticTask* const self = task(index);
  if (self == nullptr) return Errno::inval;
  self->will_wait(std::is_same_v<Proof, OobStage> ? Stage::oob : Stage::inband);
  return wait(here, *self);
}

template <typename Proof>
Status Hectic::switch_to(const Proof& here, hectic_switch_req request) noexcept {
  HecticTask* const from = task(request.from);
  if (from == nullptr || task(request.to) == nullptr) return Errno::inval;
  HecticTask* const to = task(note_switch(request));
  from->will_wait(std::is_same_v<Proof, OobStage> ? Stage::oob : Stage::inband);
  wake(*to);
  return wait(here, *from);
}

// The pattern of all tasks: back, to the next in turn, to the same again.
void Hectic::kernel_body(const OobStage& oob, void* argument) noexcept {
  auto& self = *static_cast<HecticTask*>(argument);
  Hectic& hectic = self.owner;
  u32 to = self.index;
  Status status = hectic.pend(oob, self.index);
  for (unsigned turn = 0; !KernelThread::should_stop() && !status.is(Errno::idrm);
       turn = (turn + 1) % 3) {
    if (!status.ok()) {  // Broken, though not asked to stop: wait for the turn again.
      status = hectic.pend(oob, self.index);
      continue;
    }
    if (turn == 1) {
      const u32 count = hectic.nr_registered_.load_acquire();
      to = (to + 1) % count;
      if (to == self.index) to = (to + 1) % count;
    }
    status = hectic.switch_to(oob, {.from = self.index, .to = turn == 0 ? self.index : to});
  }
}

template <typename Proof>
Status Hectic::common_request(const Proof& here, unsigned cmd, unsigned long arg) noexcept {
  switch (cmd) {
    case EVL_HECIOC_PEND:
      return pend(here, EVL_TRY(UserPtr<hectic_task_index>{arg}.read(here)).index);
    case EVL_HECIOC_SWITCH_TO:
      return switch_to(here, EVL_TRY(UserPtr<hectic_switch_req>{arg}.read(here)));
    case EVL_HECIOC_GET_SWITCHES_COUNT:
      return UserPtr<u32>{arg}.write(switches_);
    case EVL_HECIOC_GET_LAST_ERROR: {
      // Asked for when a thread found a register trashed: the moment to freeze a trace.
      const hectic_error error{.last_switch = last_switch_, .fp_val = 0};
      kapi_trace(KAPI_EV_fpu_corrupt, "hectic", error.last_switch.from, error.last_switch.to);
      kapi_trace(KAPI_EV_trigger, "hectic", 0, 0);
      return UserPtr<hectic_error>{arg}.write(error);
    }
    case EVL_HECIOC_LOCK_STAX:
      if constexpr (std::is_same_v<Proof, OobStage>)
        return stax_.lock(here, *current_thread());
      else
        return stax_.lock(here);
    case EVL_HECIOC_UNLOCK_STAX:
      return stax_.unlock(here);
    default:
      return Errno::notty;
  }
}

void Hectic::release(const InbandStage& inband) noexcept {
  const u32 count = nr_registered_.load_relaxed();
  oob_file_.begin_release();
  for (u32 i = 0; i < count; ++i) tasks_[i]->flush();
  stax_.flush(ThreadInfo::rmid);
  oob_file_.release(inband);
  stax_.drop(inband);  // A task that was killed may have held it.
  for (u32 i = 0; i < count; ++i) {
    if (tasks_[i]->thread.thread() != nullptr) tasks_[i]->thread.stop(inband);
  }
  if (pause_timer_.built()) {
    pause_timer_->destroy(inband);
    pause_timer_.destroy();
  }
  // From here on, nothing wakes a task.
  for (u32 i = 0; i < count; ++i) {
    tasks_[i]->sync();
    discard(inband, tasks_[i]);
  }
  kapi_free(tasks_);
}

// ---- The device ----

Hectic& hectic_of(void* object) noexcept {
  return *static_cast<Hectic*>(object);
}

int hectic_open(void*, kapi_file* file, void** object) {
  const InbandStage inband = InbandStage::at_entry();
  if (!core().running()) return -ENXIO;
  auto* const hectic = create<Hectic>(inband, file);
  if (hectic == nullptr) return -ENOMEM;
  *object = hectic;
  return 0;
}

void hectic_release(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  hectic_of(object).release(inband);
  discard(inband, &hectic_of(object));
}

long hectic_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  const InbandStage inband = InbandStage::at_entry();
  Hectic& hectic = hectic_of(object);
  const UserPtr<hectic_task_index> task{arg};
  if (cmd == EVL_HECIOC_SET_TASKS_COUNT || cmd == EVL_HECIOC_SET_CPU ||
      cmd == EVL_HECIOC_SET_PAUSE) {
    if (arg > std::numeric_limits<u32>::max()) return -EINVAL;
  }
  const auto value = static_cast<u32>(arg);
  switch (cmd) {
    case EVL_HECIOC_SET_TASKS_COUNT:
      return code_of(hectic.set_tasks_count(value, inband));
    case EVL_HECIOC_SET_CPU:
      return code_of(hectic.set_cpu(value, inband));
    case EVL_HECIOC_SET_PAUSE:
      return code_of(hectic.set_pause(value, inband));
    case EVL_HECIOC_REGISTER_UTASK:
      return code_of(hectic.add_user_task(task, inband));
    case EVL_HECIOC_CREATE_KTASK:
      return code_of(hectic.add_kernel_task(task, inband));
    default:
      return code_of(hectic.common_request(inband, cmd, arg));
  }
}

long hectic_oob_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  const OobStage oob = OobStage::at_entry();
  return code_of(hectic_of(object).common_request(oob, cmd, arg));
}

constexpr kapi_file_ops kHecticOps = {
    .open = hectic_open,
    .release = hectic_release,
    .ioctl = hectic_ioctl,
    .oob_ioctl = hectic_oob_ioctl,
};

}  // namespace

Status start_hectic(const InbandStage& inband) noexcept {
  return add_driver("hectic", kHecticOps, inband);
}

}  // namespace evl
