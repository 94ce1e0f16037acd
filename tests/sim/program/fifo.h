// SPDX-License-Identifier: MIT
//
// Fifo: what may come out of calls that move bytes through one ring of the core's, of which only
// beginnings, ends and results are known. Naive: it keeps all calls since the ring was last empty,
// and looks for an order of the writes that explains what each reader got.
//
// A byte says which write it is of, and where it was in it: what was written comes out once, whole
// and in order, or it shows.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sim {

class Fifo final {
 public:
  static constexpr unsigned kMaxSize = 8;  // Of the ring: a byte has room for such a place in it.
  static constexpr unsigned kMaxBytes = kMaxSize + 1;  // Of a call: one more is refused.

  // How a call is made, and by whom.
  struct How {
    unsigned thread;
    bool blocks;
  };

  // When the room of what was read is there again: with the end of the read, or some time later.
  enum class Room { with_read, later };

  void make(unsigned size, Room room = Room::with_read) noexcept {
    size_ = size;
    room_ = room;
  }
  bool exists() const noexcept { return size_ != 0; }
  unsigned size() const noexcept { return size_; }

  /// Before the call; fills what is to be written. The number is for end_...().
  unsigned begin_write(std::span<std::uint8_t> bytes, How how);
  unsigned begin_read(unsigned bytes, How how);
  /// After the call. What is wrong with its result, nullptr: nothing. An error other than EAGAIN
  /// and EINVAL is the caller's to judge; it has moved nothing.
  const char* end_write(unsigned call, long result);
  const char* end_read(unsigned call, std::span<const std::uint8_t> buffer, long result);

  // What those who are on their way wait for, if all of them sleep.
  struct Need {
    enum class Kind { nothing, room, bytes } kind{Kind::nothing};
    unsigned bytes{0};
  };
  Need need() const;
  /// Who can finish by what is in the ring, and must not sleep on; -1: nobody.
  int can_finish() const;
  /// Written by calls that have ended, and not read.
  long fill() const noexcept { return written_ - read_; }
  /// Beginnings and ends so far.
  std::uint64_t events() const noexcept { return now_; }

 private:
  static constexpr unsigned kTags = 32;
  static constexpr std::uint64_t kOnItsWay = ~std::uint64_t{0};

  struct Call {
    bool writes;
    bool blocks;
    unsigned thread;
    unsigned bytes;
    std::uint64_t begun;
    std::uint64_t ended{kOnItsWay};
    long result{0};
    long least{0};           // At any time since it began: bytes, or room, there were for it.
    bool met_writer{false};  // Another one that may have been asleep.
    std::uint8_t tag{0};
    unsigned taken{0};  // Of a write: places that were read, a bit each.
    struct Piece {
      unsigned write;
      unsigned first;
      unsigned last;
    };
    std::vector<Piece> pieces{};  // Of a read, by write.

    bool on_its_way() const noexcept { return ended == kOnItsWay; }
    bool moved() const noexcept { return ended != kOnItsWay && result > 0; }
    bool all_taken() const noexcept { return taken == (1U << bytes) - 1; }
  };

  unsigned begin(Call call);
  void look_again();
  void end(Call& call, long result);
  const char* check_result(const Call& call) const;
  const char* take(Call& call, std::span<const std::uint8_t> bytes);
  const char* check_order(const Call& read) const;
  bool is_free(unsigned tag) const;
  bool anybody_on_his_way() const;
  bool can_finish(const Call& call) const;

  unsigned size_{0};
  Room room_{Room::with_read};
  std::vector<Call> calls_;
  std::array<int, kTags> writes_{};  // The last write of each tag, from 1; 0: none.
  unsigned last_tag_{0};
  std::uint64_t now_{0};
  // Bytes of the calls that have ended; of writes when no writer was on its way, and of reads when
  // no reader was: the ring shows, and gives back, what several copy at a time only when all have.
  long written_{0};
  long read_{0};
  long shown_{0};
  long freed_{0};
};

}  // namespace sim
