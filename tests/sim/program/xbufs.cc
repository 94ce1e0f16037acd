// SPDX-License-Identifier: MIT
//
// World: what may come out of the steps on cross-buffers, and who helps when all that a thread
// waits for is somebody at the other end.

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "program/world.h"

namespace sim {
namespace {

Machine& mc() {
  return Machine::current();
}

constexpr unsigned kHelper = kMaxThreads;  // Its number in reports: no thread of the program's.

long make_call(Op op, int fd, std::span<std::uint8_t> buffer) {
  switch (op) {
    case Op::xbuf_send:
      return oob_write(fd, buffer.data(), buffer.size());
    case Op::xbuf_write:
      return inband_write(fd, buffer.data(), buffer.size());
    case Op::xbuf_receive:
      return oob_read(fd, buffer.data(), buffer.size());
    default:
      return inband_read(fd, buffer.data(), buffer.size());
  }
}

}  // namespace

void World::use_xbuf(unsigned number, const Step& step) {
  XbufModel& xbuf = xbufs_[step.a];
  if (xbuf.closed) return;
  if (step.op != Op::close_xbuf) {
    transfer(xbuf, xbuf.user.fd, number, step);
    return;
  }
  xbuf.closed = true;
  close_file(xbuf.user.fd);
}

long World::transfer(XbufModel& xbuf, int fd, unsigned number, const Step& step) {
  const bool helps = number == kHelper;
  const bool writes = step.op == Op::xbuf_send || step.op == Op::xbuf_write;
  const bool inbound = step.op == Op::xbuf_send || step.op == Op::xbuf_read;
  Fifo& fifo = inbound ? xbuf.inbound : xbuf.outbound;
  const Fifo::How how{.thread = number, .blocks = !helps && !program_.xbufs[step.a].nonblock};
  std::array<std::uint8_t, Fifo::kMaxBytes> storage{};
  const std::span<std::uint8_t> buffer{storage.data(), step.value};
  unsigned call = 0;
  if (fifo.exists())
    call = writes ? fifo.begin_write(buffer, how) : fifo.begin_read(step.value, how);
  const long result = make_call(step.op, fd, buffer);
  // A number that was closed may be another file's by now.
  const bool gone = !helps && xbuf.closed && result < 0;
  if (fifo.exists()) {
    const long moved = gone ? -EIDRM : result;
    const char* const wrong =
        writes ? fifo.end_write(call, moved) : fifo.end_read(call, buffer, moved);
    if (wrong != nullptr) expect(false, wrong, number, step, result);
  }
  const bool broken = result == -EINTR && (helps || threads_[number].disturbed);
  const bool judged = result >= 0 || result == -EAGAIN || result == -EINVAL;
  expect(gone || broken || (fifo.exists() ? judged : result == -ENOBUFS), "unexpected", number,
         step, result);
  return result;
}

// A program may have readers only, or writers. The first thread of the process comes to their help
// as long as there are others, but to nobody's whom the ring's content should have woken: he sleeps
// on, and is found.
void World::help() {
  constexpr std::uint64_t kRoundNs = 30'000;
  constexpr unsigned kMaxRounds = 300;  // Longer than anybody is kept from the CPU by the others.
  std::uint64_t events_before = 0;
  unsigned rounds = 0;
  for (;;) {
    unsigned alive = 0;
    for (unsigned i = 0; i < program_.script.size(); ++i) alive += threads_[i].dead ? 0 : 1;
    if (alive == 0) return;
    std::uint64_t events = 0;
    int late = -1;
    for (unsigned i = 0; i < program_.xbufs.size(); ++i) {
      for (Fifo* const fifo : {&xbufs_[i].inbound, &xbufs_[i].outbound}) {
        if (!fifo->exists()) continue;
        help_with(xbufs_[i], *fifo, i);
        events += fifo->events();
        late = std::max(late, fifo->can_finish());
      }
    }
    rounds = events == events_before && late >= 0 ? rounds + 1 : 0;
    events_before = events;
    if (rounds > kMaxRounds)
      mc().fail("T%d waits for bytes, or room, that a cross-buffer has had for long", late);
    lx().call(35, [] {
      lx().sleep_inband(kRoundNs);
      return 0L;
    });
  }
}

void World::help_with(XbufModel& xbuf, Fifo& fifo, unsigned number) {
  const Fifo::Need need = fifo.need();
  if (need.kind == Fifo::Need::Kind::nothing) return;
  const bool inbound = &fifo == &xbuf.inbound;
  Step step{.op = Op::xbuf_read, .a = static_cast<std::uint8_t>(number), .value = need.bytes};
  if (need.kind == Fifo::Need::Kind::bytes)
    step.op = inbound ? Op::xbuf_send : Op::xbuf_write;
  else if (!inbound)
    step.op = Op::xbuf_receive;
  transfer(xbuf, xbuf.user.helper_fd, kHelper, step);
}

// What is left comes out as it went in; that it is all of it, the model knows when there is no
// more.
void World::drain_xbufs() {
  for (unsigned i = 0; i < program_.xbufs.size(); ++i) {
    for (const Op op : {Op::xbuf_read, Op::xbuf_receive}) {
      const Fifo& fifo = op == Op::xbuf_read ? xbufs_[i].inbound : xbufs_[i].outbound;
      const Step step{.op = op, .a = static_cast<std::uint8_t>(i), .value = 1};
      while (fifo.exists() && transfer(xbufs_[i], xbufs_[i].user.helper_fd, kHelper, step) > 0) {
      }
    }
  }
}

}  // namespace sim
