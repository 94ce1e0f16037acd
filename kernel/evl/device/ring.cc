// SPDX-License-Identifier: GPL-2.0
// Byte ring: arithmetic only. The caller holds its lock.
#include "device/ring.h"

namespace evl {

Result<u32> Ring::reserve_write(u32 bytes) noexcept {
  if (bytes > size_) return Errno::inval;
  if (bytes > room()) return Errno::again;
  const u32 position = write_at_;
  write_at_ = advanced(write_at_, bytes);
  writing_ += bytes;
  ++writers_;
  return position;
}

Result<u32> Ring::reserve_read(u32 bytes) noexcept {
  if (bytes > size_) return Errno::inval;
  if (bytes > filled_) return Errno::again;
  const u32 position = read_at_;
  read_at_ = advanced(read_at_, bytes);
  filled_ -= bytes;
  reading_ += bytes;
  ++readers_;
  return position;
}

std::span<std::byte> Ring::take_piece(u32 bytes) noexcept {
  const u32 to_end = size_ - read_at_;
  const u32 piece = bytes < to_end ? bytes : to_end;
  return slot(reserve_read(piece).value(), piece).first;
}

Ring::Slot Ring::slot(u32 position, u32 bytes) noexcept {
  const u32 to_end = size_ - position;
  const u32 first = bytes < to_end ? bytes : to_end;
  return {.first = {storage_ + position, first}, .second = {storage_, bytes - first}};
}

bool Ring::commit_write() noexcept {
  EVL_ASSERT(writers_ > 0);
  if (--writers_ > 0) return false;
  filled_ += std::exchange(writing_, 0);
  return true;
}

bool Ring::commit_read() noexcept {
  EVL_ASSERT(readers_ > 0);
  if (--readers_ > 0) return false;
  reading_ = 0;
  return true;
}

bool Ring::invariants_hold() const noexcept {
  if (u64{filled_} + reading_ + writing_ > size_) return false;  // RG1
  if (read_at_ >= size_ || write_at_ >= size_) return false;
  if ((writers_ == 0 && writing_ != 0) || (readers_ == 0 && reading_ != 0)) return false;  // RG2
  return advanced(advanced(read_at_, filled_), writing_) == write_at_;
}

}  // namespace evl
