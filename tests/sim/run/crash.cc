// SPDX-License-Identifier: MIT

#include "run/crash.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace sim {
namespace {

struct Running {
  const char* name{"(nothing)"};
  unsigned long long seed{0};
  unsigned long long schedule{0};
};
Running running;

// The process is lost already: that snprintf() is not made for signal handlers does no more harm.
void say_where(const char* what) {
  char text[512];
  const int length =
      std::snprintf(text, sizeof text,
                    "FAILED %s, seed %llu: %s\nfound by schedule %llu\n"
                    "replay: ./scripts/sim --seed %llu %s\n",
                    running.name, running.seed, what, running.schedule, running.seed, running.name);
  const ssize_t written = write(STDOUT_FILENO, text, static_cast<std::size_t>(length));
  (void)written;
}

#ifndef __SANITIZE_ADDRESS__
constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

void on_signal(int signo) {
  char text[64];
  std::snprintf(text, sizeof text, "crashed with signal %d", signo);
  say_where(text);
  _exit(1);
}
#endif

}  // namespace

#ifdef __SANITIZE_ADDRESS__
void watch_for_crashes() {
  __sanitizer_set_death_callback([] { say_where("a sanitizer's report, above"); });
}
#else
// On a stack of its own: the one that overflowed is of no use.
void watch_for_crashes() {
  static char stack[64 * 1024];
  const stack_t alternate{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_ONSTACK;
  for (const int signo : kFatal) sigaction(signo, &action, nullptr);
}
#endif

void about_to_run(const char* name, std::uint64_t seed, std::uint64_t schedule) noexcept {
  running = {name, seed, schedule};
}

}  // namespace sim
