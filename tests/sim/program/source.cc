// SPDX-License-Identifier: MIT

#include "program/source.h"

#include <algorithm>
#include <bit>

namespace sim {

std::string Source::content() const {
  std::string text;
  for (unsigned i = 0; i < bytes_; ++i) text += static_cast<char>(i);
  return text;
}

unsigned Source::begin(unsigned bytes, Waits waits) {
  reads_.push_back({.bytes = bytes, .waits = waits, .begun = ++now_});
  return static_cast<unsigned>(reads_.size() - 1);
}

const char* Source::end(unsigned call, std::span<const std::uint8_t> buffer, long result) {
  Read& read = reads_[call];
  read.ended = ++now_;
  if (result < 0) return nullptr;
  const auto got = static_cast<unsigned>(result);
  if (got > read.bytes) return "more than was asked for";
  if (got == 0) return read.bytes == 0 ? nullptr : check_end(read);
  const unsigned first = buffer[0];
  read.after = first + got;
  if (read.after > bytes_) return "bytes that the target does not have";
  for (unsigned i = 0; i < got; ++i) {
    if (buffer[i] != first + i) return "bytes that do not follow one another";
    if (((taken_ >> buffer[i]) & 1U) != 0) return "a byte for the second time";
    taken_ |= 1U << buffer[i];
  }
  for (const Read& other : reads_)
    if (other.ended < read.begun && other.after > first)
      return "what an earlier read should have got";
  const std::uint32_t before = (1U << first) - 1;
  if (others_want(read) == 0 && (taken_ & before) != before) return "bytes before these are lost";
  return check_part(read, result);
}

// Who waits gets less than he asked for only when there is no more.
const char* Source::check_part(const Read& read, long result) const {
  if (static_cast<unsigned>(result) == read.bytes || read.after == bytes_) return nullptr;
  if (read.waits == Waits::yes) return "less than was asked for";
  return static_cast<unsigned>(result) % granularity_ == 0 ? nullptr : "a part of a unit";
}

// What is left then has been taken by those who are not back yet.
const char* Source::check_end(const Read& read) const {
  if (read.waits == Waits::no) return nullptr;
  const unsigned left = bytes_ - static_cast<unsigned>(std::popcount(taken_));
  return left <= others_want(read) ? nullptr : "the end, with bytes left";
}

unsigned Source::others_want(const Read& read) const {
  unsigned bytes = 0;
  for (const Read& other : reads_)
    if (&other != &read && other.ended == kOnItsWay) bytes += other.bytes;
  return bytes;
}

}  // namespace sim
