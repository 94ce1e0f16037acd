// SPDX-License-Identifier: GPL-2.0
// Streams: reserving under the lock, copying without it, and waking whom the outcome concerns.
#include "device/stream.h"

#include "base/in_place.h"
#include "boot/core.h"

namespace evl {

// What a caller wants, and what it got.
struct Stream::Attempt {
  Stream& stream;
  u32 bytes;
  bool nonblock;
  bool (Stream::*attempt)(Attempt&) noexcept;
  u32 position{0};
  u32 got{0};
  bool counted{false};  // In writers_blocked_.
  bool ended{false};
  Status end{kOk};
};

Stream::Stream(const char* name, std::byte* storage, u32 size) noexcept
    : queue_{name, core().monotonic(), WaitOrder::prio}, ring_{storage, size}, storage_{storage} {
  kapi_waitq_init(&inband_);
  kapi_irq_work_init(&wake_work_, &Stream::wake_inband);
}

Stream::~Stream() {
  kapi_irq_work_sync(&wake_work_);
  kapi_free_virtual(storage_);
}

Result<Stream*> Stream::make(const char* name, u32 size, const InbandStage& inband) noexcept {
  auto* const storage = static_cast<std::byte*>(kapi_alloc_virtual(size));
  if (storage == nullptr) return Errno::nomem;
  auto* const made = create<Stream>(inband, name, storage, size);
  if (made != nullptr) return made;
  kapi_free_virtual(storage);
  return Errno::nomem;
}

void Stream::drop(Stream* stream, const InbandStage& inband) noexcept {
  discard(inband, stream);
}

// Everybody looks again: there are few sleepers, and each of them may be the one.
void Stream::wake(const HardIrqsOff& irqs_off) noexcept {
  queue_.flush({}, irqs_off);
  kapi_irq_work_queue(&wake_work_);
}

void Stream::wake_inband(kapi_irq_work* work) noexcept {
  kapi_waitq_wake_all(&owner_of<Stream, &Stream::wake_work_>(*work).inband_);
}

bool Stream::try_write(Attempt& attempt) noexcept {
  queue_.lock().assert_held();
  const auto position = ring_.reserve_write(attempt.bytes);
  if (position.ok()) {
    attempt.position = position.value();
    attempt.got = attempt.bytes;
    return true;
  }
  if (!attempt.counted && !attempt.nonblock) {
    attempt.counted = true;
    ++writers_blocked_;
    if (ring_.filled() > 0) {  // Readers who wait for more have to give up on that.
      const HardIrqsOffAtEntry irqs_off;
      wake(irqs_off);
    }
  }
  return false;
}

bool Stream::try_read(Attempt& attempt) noexcept {
  queue_.lock().assert_held();
  const u32 filled = ring_.filled();
  u32 bytes = filled < attempt.bytes ? filled : attempt.bytes;
  const bool partial = attempt.nonblock || writers_blocked_ > 0 || ended_;
  if (bytes < attempt.bytes && !partial) bytes = 0;
  if (bytes == 0) {
    if (!ended_) {
      if (feeder_ != nullptr) {
        const u32 missing = attempt.bytes - filled;
        wanted_ = wanted_ > missing ? wanted_ : missing;
        feeder_->call();
      }
      return false;
    }
    ended_ = false;
    attempt.ended = true;
    attempt.end = end_;
    return true;
  }
  attempt.position = ring_.reserve_read(bytes).value();
  attempt.got = bytes;
  return true;
}

void Stream::unblock(const Attempt& attempt) noexcept {
  if (!attempt.counted) return;
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  --writers_blocked_;
}

Result<long> Stream::finish_write(const Attempt& attempt, Status waited, UserBytes from) noexcept {
  unblock(attempt);
  if (!waited.ok()) return waited.error();
  const Ring::Slot slot = ring_.slot(attempt.position, attempt.got);
  Status copied = from.read(slot.first.data(), slot.first.size());
  if (copied.ok() && !slot.second.empty())
    copied = from.advanced(slot.first.size()).read(slot.second.data(), slot.second.size());
  if (!copied.ok()) {  // The space is reserved, and what follows it may be there already.
    __builtin_memset(slot.first.data(), 0, slot.first.size());
    __builtin_memset(slot.second.data(), 0, slot.second.size());
  }
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    if (ring_.commit_write()) wake(irqs_off);
  }
  schedule();
  if (!copied.ok()) return copied.error();
  return static_cast<long>(attempt.got);
}

Result<long> Stream::finish_read(const Attempt& attempt, Status waited, UserBytes to) noexcept {
  if (!waited.ok()) return waited.error();
  if (attempt.ended) {
    if (!attempt.end.ok()) return attempt.end.error();
    return 0L;
  }
  const Ring::Slot slot = ring_.slot(attempt.position, attempt.got);
  Status copied = to.write(slot.first.data(), slot.first.size());
  if (copied.ok() && !slot.second.empty())
    copied = to.advanced(slot.first.size()).write(slot.second.data(), slot.second.size());
  taken();
  if (!copied.ok()) return copied.error();
  return static_cast<long>(attempt.got);
}

Status Stream::sleep_inband(Attempt& attempt) noexcept {
  const auto look = [](void* arg) noexcept {
    auto& one = *static_cast<Attempt*>(arg);
    bool done = false;
    {
      HardIrqGuard irqs_off;
      HardLockGuard guard{one.stream.queue_.lock(), irqs_off};
      done = (one.stream.*one.attempt)(one);
    }
    if (!done) schedule();  // Whom a writer without room has woken runs before that one sleeps.
    return done;
  };
  if (attempt.nonblock) return look(&attempt) ? kOk : Status{Errno::again};
  return status_of(kapi_waitq_wait(&inband_, look, &attempt));
}

Result<long> Stream::write(const OobStage& oob, Thread& self, UserBytes from, size_t bytes,
                           bool nonblock) noexcept {
  if (bytes > ring_.size()) return Errno::inval;
  if (bytes == 0) return 0L;
  Attempt attempt{*this, static_cast<u32>(bytes), nonblock, &Stream::try_write};
  const Deadline deadline = nonblock ? Deadline::nonblock() : Deadline::never();
  const Status waited =
      queue_.wait_until(oob, self, deadline, [&]() noexcept { return try_write(attempt); });
  return finish_write(attempt, waited, from);
}

Result<long> Stream::write(const InbandStage&, UserBytes from, size_t bytes,
                           bool nonblock) noexcept {
  if (bytes > ring_.size()) return Errno::inval;
  if (bytes == 0) return 0L;
  Attempt attempt{*this, static_cast<u32>(bytes), nonblock, &Stream::try_write};
  return finish_write(attempt, sleep_inband(attempt), from);
}

Result<long> Stream::read(const OobStage& oob, Thread& self, UserBytes to, size_t bytes,
                          bool nonblock) noexcept {
  if (bytes > ring_.size()) return Errno::inval;
  if (bytes == 0) return 0L;
  Attempt attempt{*this, static_cast<u32>(bytes), nonblock, &Stream::try_read};
  const Deadline deadline = nonblock ? Deadline::nonblock() : Deadline::never();
  const Status waited =
      queue_.wait_until(oob, self, deadline, [&]() noexcept { return try_read(attempt); });
  return finish_read(attempt, waited, to);
}

Result<long> Stream::read(const InbandStage&, UserBytes to, size_t bytes, bool nonblock) noexcept {
  if (bytes > ring_.size()) return Errno::inval;
  if (bytes == 0) return 0L;
  Attempt attempt{*this, static_cast<u32>(bytes), nonblock, &Stream::try_read};
  return finish_read(attempt, sleep_inband(attempt), to);
}

// Copies under the lock: callers are handlers of interrupts, and bring a few cache lines.
Result<long> Stream::push(std::span<const std::byte> data) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  const auto bytes = static_cast<u32>(data.size());
  const u32 position = EVL_TRY(ring_.reserve_write(bytes));
  const Ring::Slot slot = ring_.slot(position, bytes);
  __builtin_memcpy(slot.first.data(), data.data(), slot.first.size());
  __builtin_memcpy(slot.second.data(), data.data() + slot.first.size(), slot.second.size());
  wanted_ = 0;  // Whom this is not enough for asks again: a feeder brings no more than is missing.
  if (ring_.commit_write()) wake(irqs_off);
  return static_cast<long>(bytes);
}

std::span<std::byte> Stream::take(u32 grain, u32 max) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  u32 bytes = ring_.filled() < max ? ring_.filled() : max;
  bytes -= bytes % grain;
  if (bytes == 0) return {};
  return ring_.take_piece(bytes);
}

void Stream::taken() noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    if (ring_.commit_read()) wake(irqs_off);
  }
  schedule();
}

u32 Stream::wanted() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  return std::exchange(wanted_, 0);
}

void Stream::want(u32 bytes) noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  const u32 filled = ring_.filled();
  if (filled >= bytes || ended_ || feeder_ == nullptr) return;
  const u32 missing = bytes - filled;
  wanted_ = wanted_ > missing ? wanted_ : missing;
  feeder_->call();
}

void Stream::end(Status status) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    ended_ = true;
    end_ = status;
    wanted_ = 0;  // What comes after the end is for who has seen it.
    wake(irqs_off);
  }
  schedule();
}

Stream::Fill Stream::fill() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  return {.filled = ring_.filled(),
          .room = ring_.room(),
          .size = ring_.size(),
          .idle = ring_.is_idle()};
}

bool Stream::is_readable() noexcept {
  HardIrqGuard irqs_off;
  HardLockGuard guard{queue_.lock(), irqs_off};
  return ring_.filled() > 0 || ended_;
}

void Stream::flush(InfoFlags reasons) noexcept {
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{queue_.lock(), irqs_off};
    queue_.flush(reasons, irqs_off);
  }
  schedule();
}

}  // namespace evl
