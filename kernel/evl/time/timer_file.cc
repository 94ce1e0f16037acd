// SPDX-License-Identifier: GPL-2.0
// Timers with a descriptor. A tick is latched until somebody reads it; ticks nobody read in time
// are overruns of the next reading.
#include "time/timer_file.h"

#include "boot/core.h"
#include "sched/schedule.h"

namespace evl {
namespace {

TimerFile& file_of(void* object) noexcept {
  return *static_cast<TimerFile*>(object);
}

// Both stages; user memory first and last, with no lock held.
Status request(TimerFile& file, unsigned cmd, unsigned long arg) noexcept {
  using UserSpec = UserPtr<__evl_itimerspec>;
  if (cmd == EVL_TFDIOC_GET) return UserSpec{arg}.write(file.get());
  if (cmd != EVL_TFDIOC_SET) return Errno::notty;
  const evl_timerfd_setreq asked = EVL_TRY(UserPtr<evl_timerfd_setreq>{arg}.read());
  const __evl_itimerspec value = EVL_TRY(UserSpec::from(asked.value_ptr).read());
  __evl_itimerspec old{};
  (void)EVL_TRY(file.set(value, &old));
  const UserSpec wanted = UserSpec::from(asked.ovalue_ptr);
  return wanted.is_null() ? kOk : wanted.write(old);
}

long ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  return code_of(request(file_of(object), cmd, arg));
}

long oob_read(void* object, kapi_file* file, void* user_buf, size_t bytes) {
  if (bytes < sizeof(u64)) return code_of(Status{Errno::inval});
  const bool nonblock = (kapi_file_flags(file) & kOpenNonblock) != 0;
  const auto ticks = file_of(object).wait_tick(OobStage::at_entry(), *current_thread(),
                                               nonblock ? Deadline::nonblock() : Deadline::never());
  if (!ticks.ok()) return code_of(ticks);
  const u64 count = ticks.value();
  const Status status = UserBytes{user_buf}.write(&count, sizeof(count));
  return status.ok() ? static_cast<long>(sizeof(u64)) : code_of(status);
}

const kapi_file_ops kFileOps{
    .release = &TimerFile::release,
    .ioctl = &ioctl,
    .oob_ioctl = &ioctl,
    .oob_read = &oob_read,
};

}  // namespace

TimerFile::TimerFile(const Clock& clock, TimerBase& base) noexcept
    : timer_{clock, base, Gravity::user, &TimerFile::on_shot, "timerfd"},
      queue_{"timerfd", clock, WaitOrder::prio} {}

// On the first oob CPU, until an oob thread sets it.
Status TimerFile::open(const Clock& clock, UserPtr<s32> fd_out,
                       const InbandStage& inband) noexcept {
  TimerBase& base = timer_bases().on(core().oob_cpus().first());
  auto* const made = create<TimerFile>(inband, clock, base);
  if (made == nullptr) return Errno::nomem;
  kapi_file* file = nullptr;
  const int fd = kapi_anon_file("timerfd", &kFileOps, made, kOpenReadWrite, &file);
  if (fd < 0) {
    discard(inband, made);
    return status_of(fd);
  }
  made->file_.build(file);
  const Status status = fd_out.write(fd);
  if (status.ok())
    kapi_fd_install(fd, file);
  else
    kapi_fd_abort(fd, file);  // Calls release().
  return status;
}

void TimerFile::release(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  auto* const self = static_cast<TimerFile*>(object);
  self->file_->begin_release();
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{self->queue_.lock(), irqs_off};
    (void)self->queue_.flush(ThreadInfo::rmid, irqs_off);
  }
  schedule();
  self->file_->release(inband);
  self->timer_.destroy(inband);
  self->file_.destroy();
  discard(inband, self);
}

void TimerFile::on_shot(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  TimerFile& self = owner_of<TimerFile, &TimerFile::timer_>(timer);
  HardLockGuard guard{self.queue_.lock(), irqs_off};
  self.ticked_ = true;
  (void)self.queue_.flush({}, irqs_off);
}

Status TimerFile::set(const __evl_itimerspec& value, __evl_itimerspec* old) noexcept {
  const Date first = EVL_TRY(Date::from(value.it_value));
  Duration interval;  // Looked at when it matters.
  if (first != Date{}) interval = EVL_TRY(duration_from(value.it_interval));
  if (!interval.is_zero() && interval < timer_.clock().shortest_period(Gravity::user))
    return Errno::inval;
  if (old != nullptr) *old = get();
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  timer_.stop();
  ticked_ = false;
  if (first == Date{}) return kOk;
  if (kapi_running_oob()) timer_.move_to(timer_bases().here(irqs_off), irqs_off);
  timer_.start(first, interval);
  return kOk;
}

__evl_itimerspec TimerFile::get() noexcept {
  __evl_itimerspec found{};
  const Duration left = timer_.remaining();
  if (left.is_zero()) return found;
  found.it_value = to_timespec(left.ns());
  found.it_interval = to_timespec(timer_.interval().ns());
  return found;
}

Result<u64> TimerFile::wait_tick(const OobStage& oob, Thread& self, Deadline deadline) noexcept {
  (void)EVL_TRY(
      queue_.wait_until(oob, self, deadline, [this] { return std::exchange(ticked_, false); }));
  if (timer_.interval().is_zero()) return u64{1};
  const u64 missed = timer_.take_overruns(timer_.clock().now());
  if (!self.local().has(LocalInfo::ignovr)) return missed + 1;
  self.clear_local(LocalInfo::ignovr);
  return u64{1};
}

}  // namespace evl
