// SPDX-License-Identifier: GPL-2.0
// One direction of an xbuf or a proxy: a ring, who sleeps on it on both stages, and the copies from
// and to user space. The oob side sleeps on a wait queue, whose lock guards all of it; the in-band
// side is woken by irq_work.
#ifndef EVL_DEVICE_STREAM_H
#define EVL_DEVICE_STREAM_H

#include "base/user_ptr.h"
#include "device/ring.h"
#include "kapi/inband.h"
#include "sync/wait.h"
#include "sync/work.h"

namespace evl {

// Invariants, whenever the queue's lock is free:
//   ST1  RG1, RG2.
//   ST2  writers_blocked_ counts the writers who wait for room: while there are any, a reader takes
//        what there is rather than wait for more (XB2).
class Stream final : Immovable {
 public:
  /// Sleeps. ENOMEM. `name` has static storage. `size` is at least 1.
  [[nodiscard]] static Result<Stream*> make(const char* name, u32 size,
                                            const InbandStage& inband) noexcept;
  static void drop(Stream* stream, const InbandStage& inband) noexcept;  // nullptr is fine. Sleeps.

  /// Moves bytes from, or to, user space. Writes are all or nothing; reads too, but for what there
  /// is at the end of the stream, with nonblock, or while a writer waits for room (ST2). What
  /// reaches a fault is zero.
  /// Errors: EINVAL more than the ring; EAGAIN nonblock; EINTR (in-band ERESTARTSYS); EIDRM;
  /// EFAULT.
  [[nodiscard]] Result<long> write(const OobStage& oob, Thread& self, UserBytes from, size_t bytes,
                                   bool nonblock) noexcept;
  [[nodiscard]] Result<long> write(const InbandStage& inband, UserBytes from, size_t bytes,
                                   bool nonblock) noexcept;
  [[nodiscard]] Result<long> read(const OobStage& oob, Thread& self, UserBytes to, size_t bytes,
                                  bool nonblock) noexcept;
  [[nodiscard]] Result<long> read(const InbandStage& inband, UserBytes to, size_t bytes,
                                  bool nonblock) noexcept;
  // From kernel memory, all or nothing. Any stage. EAGAIN, EINVAL. A scheduling point is the
  // caller's.
  [[nodiscard]] Result<long> push(std::span<const std::byte> data) noexcept;

  // For a worker that empties the ring: bytes in units of `grain`, one piece, at most `max`; then
  // taken() gives the space back. One worker at a time.
  [[nodiscard]] std::span<std::byte> take(u32 grain, u32 max) noexcept;
  void taken() noexcept;

  // For a worker that fills the ring: it is called when a reader finds too little; wanted() is what
  // readers miss, in bytes: 0 when they have got it meanwhile. Set before anybody reads.
  void set_feeder(Work& feeder) noexcept { feeder_ = &feeder; }
  [[nodiscard]] u32 wanted() noexcept;
  void want(u32 bytes) noexcept;

  // The end of what comes: 0, or an error; the next reader that finds the ring empty gets it, once.
  void end(Status status) noexcept;

  struct Fill {
    u32 filled;
    u32 room;
    u32 size;
    bool idle;
  };
  [[nodiscard]] Fill fill() noexcept;
  [[nodiscard]] bool is_readable() noexcept;  // Bytes, or their end.
  [[nodiscard]] u32 size() const noexcept { return ring_.size(); }
  // From a poll handler.
  void poll(kapi_file* file, kapi_poll_table* table) noexcept {
    kapi_poll_wait(file, &inband_, table);
  }
  void flush(InfoFlags reasons) noexcept;  // Of oob sleepers; reschedules.

 private:
  template <typename T, typename... Args>
  friend T* create(const InbandStage&, Args&&...) noexcept;
  template <typename T>
  friend void discard(const InbandStage&, T*) noexcept;
  Stream(const char* name, std::byte* storage, u32 size) noexcept;
  ~Stream();

  struct Attempt;                                           // One reservation, for both stages.
  [[nodiscard]] bool try_write(Attempt& attempt) noexcept;  // Under the lock.
  [[nodiscard]] bool try_read(Attempt& attempt) noexcept;
  [[nodiscard]] Result<long> finish_write(const Attempt& attempt, Status waited,
                                          UserBytes from) noexcept;
  [[nodiscard]] Result<long> finish_read(const Attempt& attempt, Status waited,
                                         UserBytes to) noexcept;
  [[nodiscard]] Status sleep_inband(Attempt& attempt) noexcept;
  void unblock(const Attempt& attempt) noexcept;
  void wake(const HardIrqsOff& irqs_off) noexcept EVL_REQUIRES(queue_.lock());
  static void wake_inband(kapi_irq_work* work) noexcept;

  WaitQueue queue_;
  Ring ring_;
  std::byte* const storage_;
  unsigned writers_blocked_{0};
  Work* feeder_{nullptr};
  u32 wanted_{0};
  bool ended_{false};
  Status end_{kOk};
  kapi_waitq inband_{};
  kapi_irq_work wake_work_{};
};

}  // namespace evl

#endif  // EVL_DEVICE_STREAM_H
