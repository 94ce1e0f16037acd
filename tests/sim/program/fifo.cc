// SPDX-License-Identifier: MIT

#include "program/fifo.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sim {

// ---------------------------------------------------------------- beginnings and ends

unsigned Fifo::begin_write(std::span<std::uint8_t> bytes, How how) {
  do {
    last_tag_ = (last_tag_ + 1) % kTags;
  } while (!is_free(last_tag_));  // The ring and the threads have fewer writes than there are tags.
  for (unsigned i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(last_tag_ * kMaxSize + i % kMaxSize);
  const unsigned number = begin({.writes = true,
                                 .blocks = how.blocks,
                                 .thread = how.thread,
                                 .bytes = static_cast<unsigned>(bytes.size()),
                                 .begun = 0,
                                 .tag = static_cast<std::uint8_t>(last_tag_)});
  writes_[last_tag_] = static_cast<int>(number) + 1;
  return number;
}

unsigned Fifo::begin_read(unsigned bytes, How how) {
  return begin(
      {.writes = false, .blocks = how.blocks, .thread = how.thread, .bytes = bytes, .begun = 0});
}

const char* Fifo::end_write(unsigned call, long result) {
  Call& write = calls_[call];
  end(write, result);
  if (!write.moved() && write.taken != 0) return "a write that failed, and was read";
  return check_result(write);
}

const char* Fifo::end_read(unsigned call, std::span<const std::uint8_t> buffer, long result) {
  Call& read = calls_[call];
  end(read, result);
  if (const char* const wrong = check_result(read); wrong != nullptr) return wrong;
  if (read.moved()) {
    const char* wrong = take(read, buffer.first(static_cast<std::size_t>(result)));
    if (wrong == nullptr) wrong = check_order(read);
    if (wrong != nullptr) return wrong;
  }
  if (fill() == 0 && !anybody_on_his_way()) {  // What comes now has nothing to do with it.
    calls_.clear();
    writes_ = {};
  }
  return nullptr;
}

unsigned Fifo::begin(Call call) {
  call.begun = ++now_;
  call.least = static_cast<long>(kMaxSize);
  calls_.push_back(std::move(call));
  look_again();
  return static_cast<unsigned>(calls_.size() - 1);
}

void Fifo::end(Call& call, long result) {
  call.ended = ++now_;
  call.result = result;
  if (call.moved()) (call.writes ? written_ : read_) += result;
  look_again();
}

// Somebody has come or gone: there may be less for the others than ever.
void Fifo::look_again() {
  long writing = 0;
  long reading = 0;
  unsigned blocked_writers = 0;
  for (const Call& call : calls_) {
    if (!call.on_its_way()) continue;
    (call.writes ? writing : reading) += static_cast<long>(call.bytes);
    if (call.writes && call.blocks) ++blocked_writers;
  }
  if (writing == 0) shown_ = written_;
  if (reading == 0) freed_ = read_;
  for (Call& call : calls_) {
    if (!call.on_its_way()) continue;
    const auto mine = static_cast<long>(call.bytes);
    const long now = call.writes ? static_cast<long>(size_) - (written_ + writing - mine) + freed_
                                 : shown_ - (read_ + reading - mine);
    call.least = std::min(call.least, call.writes && room_ == Room::later ? 0L : now);
    if (!call.writes && blocked_writers > 0) call.met_writer = true;
  }
}

bool Fifo::is_free(unsigned tag) const {
  if (writes_[tag] == 0) return true;
  const Call& call = calls_[static_cast<unsigned>(writes_[tag] - 1)];
  return !call.on_its_way() && (!call.moved() || call.all_taken());
}

bool Fifo::anybody_on_his_way() const {
  return std::any_of(calls_.begin(), calls_.end(),
                     [](const Call& call) { return call.on_its_way(); });
}

// ---------------------------------------------------------------- results

const char* Fifo::check_result(const Call& call) const {
  const auto bytes = static_cast<long>(call.bytes);
  const bool fits = call.bytes <= size_;
  if (call.result == -EINVAL) return fits ? "it fits" : nullptr;
  if (call.result == -EAGAIN) {
    if (call.blocks) return "not asked for";
    if (!fits || bytes == 0) return "this cannot be had by waiting";
    return call.least >= (call.writes ? bytes : 1) ? "there was enough all the time" : nullptr;
  }
  if (call.result < 0) return nullptr;
  if (!fits || call.result > bytes) return "more than was asked for, or than fits";
  if (call.result == bytes) return nullptr;
  if (call.writes) return "a part of a write";
  if (call.result == 0) return "an end that nobody has made";
  if (call.blocks && !call.met_writer) return "less than was asked for";
  return call.result < call.least ? "less than there was all the time" : nullptr;
}

// Whose bytes these are: of writes, one after the other, each from where it was left.
const char* Fifo::take(Call& read, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) {
    const unsigned place = byte % kMaxSize;
    const int found = writes_[byte / kMaxSize];
    if (found == 0) return "a byte that nobody wrote";
    const auto number = static_cast<unsigned>(found - 1);
    Call& write = calls_[number];
    if (!write.on_its_way() && !write.moved()) return "a byte of a write that failed";
    if (place >= write.bytes) return "a byte that nobody wrote";
    if ((write.taken & (1U << place)) != 0) return "a byte for the second time";
    write.taken |= 1U << place;
    auto& pieces = read.pieces;
    if (!pieces.empty() && pieces.back().write == number) {
      if (place != pieces.back().last + 1) return "the bytes of a write in another order";
      pieces.back().last = place;
      continue;
    }
    if (!pieces.empty() && pieces.back().last + 1 != calls_[pieces.back().write].bytes)
      return "a write that breaks off within another";
    if (!pieces.empty() && place != 0) return "a write without its beginning";
    pieces.push_back({.write = number, .first = place, .last = place});
  }
  return nullptr;
}

// Writes that follow one another in one read did so in the ring; so did those that were made, or
// read, one after the other. All of that together has to be an order, and who reads a byte leaves
// none that is before it.
const char* Fifo::check_order(const Call& read) const {
  const std::size_t count = calls_.size();
  std::vector<std::vector<bool>> before(count, std::vector<bool>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const Call& one = calls_[i];
    for (std::size_t k = 0; k + 1 < one.pieces.size(); ++k)
      before[one.pieces[k].write][one.pieces[k + 1].write] = true;
    for (std::size_t j = 0; j < count; ++j) {
      const Call& other = calls_[j];
      if (one.writes != other.writes || one.ended >= other.begun) continue;
      if (one.writes && one.moved()) before[i][j] = true;
      for (const Call::Piece& early : one.pieces) {
        for (const Call::Piece& late : other.pieces) {
          if (early.write != late.write)
            before[early.write][late.write] = true;
          else if (early.last > late.first)
            return "what an earlier read should have got";
        }
      }
    }
  }
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < count; ++j)
        if (before[i][k] && before[k][j]) before[i][j] = true;
  }
  const bool others_read = std::any_of(calls_.begin(), calls_.end(), [](const Call& call) {
    return !call.writes && call.on_its_way();
  });
  for (std::size_t i = 0; i < count; ++i) {
    if (before[i][i]) return "writes in no order";
    if (others_read || !calls_[i].writes) continue;
    for (const Call::Piece& piece : read.pieces) {
      const unsigned passed = i == piece.write ? (1U << piece.first) - 1
                              : before[i][piece.write] && calls_[i].moved()
                                  ? (1U << calls_[i].bytes) - 1
                                  : 0U;
      if ((passed & ~calls_[i].taken) != 0) return "bytes before these are lost";
    }
  }
  return nullptr;
}

// ---------------------------------------------------------------- who waits for what

// If all who are on their way sleep, what the ring holds is exactly what has been written and not
// read.
bool Fifo::can_finish(const Call& call) const {
  const auto bytes = static_cast<long>(call.bytes);
  if (!call.blocks || bytes == 0 || call.bytes > size_) return true;
  if (call.writes) return static_cast<long>(size_) - fill() >= bytes;
  if (fill() >= bytes) return true;
  return fill() > 0 && std::any_of(calls_.begin(), calls_.end(), [](const Call& other) {
           return other.writes && other.blocks && other.on_its_way();
         });
}

int Fifo::can_finish() const {
  const auto found = std::find_if(calls_.begin(), calls_.end(), [this](const Call& call) {
    return call.on_its_way() && can_finish(call);
  });
  return found == calls_.end() ? -1 : static_cast<int>(found->thread);
}

Fifo::Need Fifo::need() const {
  Need need{};
  if (can_finish() >= 0) return need;
  for (const Call& call : calls_) {
    if (!call.on_its_way()) continue;
    if (call.writes) return {Need::Kind::room, static_cast<unsigned>(std::max(fill(), 0L))};
    const auto missing = static_cast<unsigned>(
        std::min(static_cast<long>(call.bytes) - fill(), static_cast<long>(size_)));
    if (need.kind == Need::Kind::nothing || missing < need.bytes)
      need = {Need::Kind::bytes, missing};
  }
  return need;
}

}  // namespace sim
