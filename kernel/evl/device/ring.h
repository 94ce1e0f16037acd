// SPDX-License-Identifier: GPL-2.0
// Byte ring with reserved slots: data is copied with the lock dropped, and counts when the last
// concurrent copier is done. Under xbuf and proxy, which bring lock and waiting.
#ifndef EVL_DEVICE_RING_H
#define EVL_DEVICE_RING_H

#include "base/result.h"

namespace evl {

// The caller holds its lock for every call, and copies between reserve and commit without it.
//   RG1  Readable bytes, and those that readers and writers still copy, fit in size together.
//   RG2  Space reserved for writing becomes readable when no writer copies any more, in order; the
//        same for reading and free space.
class Ring final : Immovable {
 public:
  Ring(std::byte* storage, u32 size) noexcept : storage_{storage}, size_{size} {}

  // One or two pieces of the storage: the second is empty unless it wraps.
  struct Slot {
    std::span<std::byte> first;
    std::span<std::byte> second;
    [[nodiscard]] size_t size() const noexcept { return first.size() + second.size(); }
  };

  // EAGAIN: not enough room now. EINVAL: more than size() ever.
  [[nodiscard]] Result<u32> reserve_write(u32 bytes) noexcept;  // Position for slot().
  [[nodiscard]] Result<u32> reserve_read(u32 bytes) noexcept;
  // Reserves for reading what lies in one piece: up to `bytes`, which are there.
  [[nodiscard]] std::span<std::byte> take_piece(u32 bytes) noexcept;
  [[nodiscard]] Slot slot(u32 position, u32 bytes) noexcept;
  // True: what was reserved by all has become visible; wake the other side.
  bool commit_write() noexcept;
  bool commit_read() noexcept;

  // Readable now; writable now; nothing readable, and nobody who still copies.
  [[nodiscard]] u32 filled() const noexcept { return filled_; }
  [[nodiscard]] u32 room() const noexcept { return size_ - filled_ - reading_ - writing_; }
  [[nodiscard]] bool is_idle() const noexcept { return room() == size_; }
  [[nodiscard]] u32 size() const noexcept { return size_; }
  [[nodiscard]] bool invariants_hold() const noexcept;

 private:
  [[nodiscard]] u32 advanced(u32 position, u32 bytes) const noexcept {
    const u64 next = u64{position} + bytes;
    return static_cast<u32>(next < size_ ? next : next - size_);
  }

  std::byte* const storage_;
  const u32 size_;
  u32 read_at_{0};
  u32 write_at_{0};
  u32 filled_{0};
  u32 reading_{0};  // Bytes reserved by readers who still copy.
  u32 writing_{0};
  u32 readers_{0};
  u32 writers_{0};
};

}  // namespace evl

#endif  // EVL_DEVICE_RING_H
