// SPDX-License-Identifier: MIT
//
// Program: what the threads of a simulated application do, as data: generated from a seed, printed,
// and reduced by shrink(). Each step is one request, or one call of the library's.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/rng.h"
#include "engine/shrink.h"

namespace sim {

// Steps, with what a, b and value mean. g: gate, e: event, t: thread, x: cross-buffer, p: proxy; ns
// are from the time of the step, 0: no limit.
#define SIM_OPS(X)                                                                               \
  X(lock)          /* a: g, value: ns */                                                         \
  X(try_lock)      /* a: g */                                                                    \
  X(unlock)        /* a: g */                                                                    \
  X(wait)          /* a: e, b: g, value: ns; only while g is held */                             \
  X(signal)        /* a: e, b: g; only while g is held */                                        \
  X(broadcast)     /* a: e, b: g; only while g is held */                                        \
  X(await)         /* a: e, b: g; takes a token of the event's, waiting without limit for one */ \
  X(raise)         /* a: e, b: g, value: tokens; puts them, signals one, or all if several */    \
  X(signal_thread) /* a: e, b: g, value: t; only while g is held */                              \
  X(sleep)         /* value: ns */                                                               \
  X(sleep_wall)    /* value: ns; by the wall clock */                                            \
  X(set_wall)      /* value: ns, b: 1: back; Linux sets its clock */                             \
  X(look_at_clock) /* its time and resolution; it cannot be set */                               \
  X(yield)                                                                                       \
  X(compute)       /* value: steps in user mode */                                               \
  X(spin)          /* until it is taken in-band: the watchdog does it */                         \
  X(set_timer)     /* a: timer, b: us between shots, 0: one shot; value: ns to the first */      \
  X(stop_timer)    /* a: timer */                                                                \
  X(look_at_timer) /* a: timer */                                                                \
  X(read_timer)    /* a: timer; waits, unless it is nonblocking */                               \
  X(close_timer)   /* a: timer */                                                                \
  X(xbuf_send)     /* a: x, value: bytes; oob_write() */                                         \
  X(xbuf_write)    /* a: x, value: bytes; write() */                                             \
  X(xbuf_receive)  /* a: x, value: bytes; oob_read() */                                          \
  X(xbuf_read)     /* a: x, value: bytes; read() */                                              \
  X(close_xbuf)    /* a: x */                                                                    \
  X(proxy_send)    /* a: p, value: bytes; oob_write() */                                         \
  X(proxy_write)   /* a: p, value: bytes; write() */                                             \
  X(proxy_receive) /* a: p, value: bytes; oob_read() */                                          \
  X(proxy_read)    /* a: p, value: bytes; read() */                                              \
  X(go_inband)                                                                                   \
  X(go_oob)                                                                                      \
  X(linux_call)     /* a system call: in-band, with SYSDEMOTE */                                 \
  X(set_fifo)       /* a: t, value: priority */                                                  \
  X(set_rr)         /* a: t, value: priority */                                                  \
  X(set_weak)       /* a: t, value: priority */                                                  \
  X(get_state)      /* a: t */                                                                   \
  X(get_params)     /* a: t */                                                                   \
  X(join)           /* a: t; until it ends, or detaches */                                       \
  X(look_at_cpu)    /* value: CPU */                                                             \
  X(look_at_gate)   /* a: g; what it is bound to */                                              \
  X(trace_stop)     /* value: ns; a debugger stops the thread, and lets it go on */              \
  X(set_mode)       /* value: EVL_T_ bits */                                                     \
  X(clear_mode)     /* value: EVL_T_ bits */                                                     \
  X(unblock)        /* a: t */                                                                   \
  X(demote)         /* a: t */                                                                   \
  X(post_signal)    /* a: t, value: number; handled by the target */                             \
  X(signal_and_see) /* a: t, value: number; waits in-band until the target has handled it */     \
  X(kill)           /* the whole process */                                                      \
  X(migrate)        /* a: t, value: CPU, as by sched_setaffinity() */                            \
  X(close_gate)     /* a: g */                                                                   \
  X(close_event)    /* a: e */                                                                   \
  X(reattach)       /* detach, attach again */                                                   \
  X(fork_child)     /* a process that inherits the descriptors, looks at them and ends */        \
  X(exec)           /* ends the thread; what follows runs unattached */                          \
  X(leave)          /* ends the thread at once, with what it owns */

enum class Op : std::uint8_t {
#define SIM_OP_ENUM(name) name,
  SIM_OPS(SIM_OP_ENUM)
#undef SIM_OP_ENUM
};
const char* name_of(Op op);

struct Step {
  Op op;
  std::uint8_t a{0};
  std::uint8_t b{0};
  std::uint32_t value{0};
};

struct GateSpec {
  std::uint8_t ceiling{0};  // 0: priority inheritance.
  bool recursive{false};
};

struct TimerSpec {
  bool nonblock{false};  // Else nobody stops it, and it is periodic: every reading comes to an end.
};

struct XbufSpec {
  std::uint8_t inbound{0};  // Bytes, up to Fifo::kMaxSize; 0: no such direction. Not both 0.
  std::uint8_t outbound{0};
  bool nonblock{false};
};

struct ProxySpec {
  std::uint8_t bytes{1};  // Up to Fifo::kMaxSize, a multiple of the granularity.
  std::uint8_t granularity{1};
  bool nonblock{false};
  std::uint8_t input{0};  // What the target gives before it ends, up to Source::kMaxBytes; 0: the
                          // proxy is for output.
};

enum class Policy : std::uint8_t { weak, fifo, rr };

struct ThreadSpec {
  std::uint8_t cpu{0};
  std::uint8_t priority{10};
  Policy policy{Policy::fifo};
};

struct Program {
  unsigned cpus{2};
  unsigned refuse_percent{0};
  unsigned fault_percent{0};
  bool ordered{
      true};  // Gates are taken by ascending number: without deaths, no cycle can come to be.
  bool deaths{false};  // Threads may end with gates held, or be killed.
  bool from_the_start{
      false};              // Attaching is searched as well; else all have attached when any begins.
  bool joins{false};       // Threads wait for the end of others; then none attaches anew.
  unsigned watchdog_s{0};  // 0: off.
  unsigned events{0};
  std::vector<GateSpec> gates{};
  std::vector<TimerSpec> timers{};
  std::vector<XbufSpec> xbufs{};  // Whoever waits for them without end is helped: see xbufs.cc.
  std::vector<ProxySpec> proxies{};
  std::vector<ThreadSpec> threads;
  Script<Step> script;  // By thread.
  // In place of a process with threads: what runs in the kernel itself, in C++.
  void (*body)(){nullptr};
};

/// Any program over all steps; sizes and kinds are drawn from `rng`.
Program random_program(Rng& rng);
/// One line per thread and step.
std::string to_text(const Program& program);

}  // namespace sim
