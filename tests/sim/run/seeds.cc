// SPDX-License-Identifier: MIT

#include "run/seeds.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "engine/random_walk.h"

namespace sim {

LinuxConfig small_core(unsigned cpus, unsigned oob_cpus) {
  LinuxConfig config{.cpus = cpus};
  config.core.state = KAPI_BOOT_ENABLED;
  config.core.oob_cpus.words[0] = (1U << oob_cpus) - 1;
  config.core.sysheap_bytes = 64 * 1024;
  config.core.watchdog_s = 0;
  config.core.nr_threads = 16;
  config.core.nr_monitors = 8;
  config.core.nr_clocks = config.core.nr_xbufs = 4;
  config.core.nr_proxies = config.core.nr_observables = 4;
  config.core.latency_user_ns = 100;
  config.core.latency_kernel_ns = 50;
  return config;
}

int run_core(unsigned seed, const CoreRun& run) {
  static Trace trace;
  RandomWalk walk{seed, run.leave_percent};
  Linux linux_model{run.config};
  Machine machine{{.cpus = run.config.cpus, .max_steps = run.max_steps}, walk, linux_model, trace};
  linux_model.attach(machine);
  if (run.checker != nullptr) linux_model.checker = run.checker;
  linux_model.start_init([&] {
    const int booted = evl_on_boot();
    if (booted != 0) machine.fail("evl_on_boot() gave %d", booted);
    run.init();
  });
  if (machine.run() == Machine::Outcome::passed) return 0;
  const char* const lines = std::getenv("TAIL");
  std::printf("seed %u: %s\n%s\n", seed, machine.failure().c_str(),
              trace.tail(lines != nullptr ? std::atoi(lines) : 80, run.config.cpus).c_str());
  return 1;
}

int run_seeds(int argc, char** argv, int (*run_seed)(unsigned seed)) {
  const unsigned seeds = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 300;
  const unsigned first = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1;
  if (seeds == 1) return run_seed(first);
  for (unsigned seed = first; seed < first + seeds; ++seed) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      const int status = run_seed(seed);
      std::fflush(stdout);
      _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status == 0) continue;
    std::printf("FAILED: seed %u, status %#x\n", seed, static_cast<unsigned>(status));
    return 1;
  }
  std::printf("%u schedules\n", seeds);
  return 0;
}

}  // namespace sim
